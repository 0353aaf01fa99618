"""From the bytes of a person's file to a picture that can be worked with."""

from __future__ import annotations

import asyncio
import io

from PIL import Image

from bot.domain.errors import FailureKind, GenerationError

MOST_PIXELS = 64_000_000
"""Width × height; in memory each takes three or four bytes."""
_READABLE = ("PNG", "JPEG", "WEBP", "GIF")


async def readable_picture(data: bytes) -> bytes:
    """The picture as PNG, JPEG or WebP, read to its last byte once; of a moving one the first
    frame. Raises `GenerationError(SOURCE_UNREADABLE)`."""
    return await asyncio.to_thread(_readable, data)


def _readable(data: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(data), formats=_READABLE) as image:
            _load(image)
            return _to_png(image) if _moves(image) else data
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.SOURCE_UNREADABLE) from None


def _load(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    image.load()


def _moves(image: Image.Image) -> bool:
    """A GIF counts even with one frame; an MPO is a JPEG whose other frames nobody looks at."""
    frames: int = getattr(image, "n_frames", 1)
    return image.format == "GIF" or (image.format in {"PNG", "WEBP"} and frames > 1)


def _to_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGBA" if image.has_transparency_data else "RGB").save(out, "PNG")
    return out.getvalue()
