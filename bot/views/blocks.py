"""Block Kit, piece by piece."""

from __future__ import annotations

from typing import Any, NamedTuple

from bot.views.text import PROMPT_SHOWN, cut

Block = dict[str, Any]

BUTTON_TEXT = 75
OPTION_TEXT = 75


class Choice(NamedTuple):
    """One option of a select."""

    value: str
    label: str


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}


def divider() -> Block:
    return {"type": "divider"}


def section(mrkdwn: str, block_id: str = "") -> Block:
    return _named({"type": "section", "text": _mrkdwn(mrkdwn)}, block_id)


def plain_section(text: str, limit: int = PROMPT_SHOWN) -> Block:
    """What somebody typed, cut to so many UTF-16 units."""
    shown = {"type": "plain_text", "text": cut(text, limit), "emoji": False}
    return {"type": "section", "text": shown}


def context(*mrkdwn: str, plain: str = "", block_id: str = "") -> Block:
    """One line of small print, in as many pieces; a `plain` one comes last."""
    elements = [_mrkdwn(each) for each in mrkdwn]
    elements += [_plain_piece(plain)] if plain else []
    return _named({"type": "context", "elements": elements}, block_id)


def plain_context(text: str) -> Block:
    return {"type": "context", "elements": [_plain_piece(text)]}


def image(file_id: str, alt_text: str, block_id: str = "", title: str = "") -> Block:
    block: Block = {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt_text}
    if title:
        block["title"] = {"type": "plain_text", "text": title}
    return _named(block, block_id)


def actions(*elements: Block, block_id: str = "") -> Block:
    return _named({"type": "actions", "elements": list(elements)}, block_id)


def button(label: str, action_id: str, value: str, *, primary: bool = False) -> Block:
    element: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": cut(label, BUTTON_TEXT), "emoji": True},
        "action_id": action_id,
        "value": value,
    }
    return element | ({"style": "primary"} if primary else {})


def select(action_id: str, choices: list[Choice], chosen: str) -> Block:
    """`chosen` is the value of one of the choices."""
    options = {
        c.value: {"text": plain(cut(c.label, OPTION_TEXT)), "value": c.value} for c in choices
    }
    return {
        "type": "static_select",
        "action_id": action_id,
        "options": list(options.values()),
        "initial_option": options[chosen],
    }


def _plain_piece(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _mrkdwn(text: str) -> Block:
    """`verbatim`: a bare address or name in it stays text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _named(block: Block, block_id: str) -> Block:
    return block | ({"block_id": block_id} if block_id else {})
