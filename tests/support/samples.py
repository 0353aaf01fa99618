"""An image, blocks, menus and a form to send to the simulated Slack."""

import struct
import zlib
from typing import Any


def png(width: int = 2, height: int = 1) -> bytes:
    """A small valid image."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def image_blocks(file_id: str) -> list[dict[str, Any]]:
    return [{"type": "image", "slack_file": {"id": file_id}, "alt_text": "a robot"}]


def button(words: str = "Approve", action_id: str = "approve", value: str = "1") -> dict[str, Any]:
    text = {"type": "plain_text", "text": words}
    return {"type": "button", "text": text, "action_id": action_id, "value": value}


def actions(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": list(elements)}]


def option(words: str, value: str = "", **more: Any) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": words}, "value": value or words, **more}


def menu(*options: dict[str, Any], kind: str = "static_select", **more: Any) -> dict[str, Any]:
    return {"type": kind, "action_id": "size", "options": list(options), **more}


SIZES = (option("Square", "1024x1024"), option("Wide", "1792x1008"))


def form(**more: Any) -> dict[str, Any]:
    field = {"type": "plain_text_input", "action_id": "text", "multiline": True}
    label = {"type": "plain_text", "text": "Prompt"}
    return {
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "Imagine"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [{"type": "input", "block_id": "prompt", "label": label, "element": field}],
        **more,
    }


def home_tab(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "home", "blocks": list(blocks)}
