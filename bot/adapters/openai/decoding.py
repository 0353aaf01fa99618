"""From what a provider sent to an image that the program can show: PNG, JPEG or GIF."""

from __future__ import annotations

import asyncio
import io

import pybase64
from PIL import Image

from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import GeneratedImage
from bot.imaging import opened

_MIME_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "GIF": "image/gif"}
READABLE = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
"""Raster formats only: Pillow starts an outside program for some of the others."""


async def decode_image(
    encoded: str | bytes, *, response_id: str = "", revised_prompt: str = ""
) -> GeneratedImage:
    """Read base64 (a data URL too) or an image file, off the event loop: a few bytes can unpack
    to many. Raises `GenerationError(BAD_IMAGE)`."""
    return await asyncio.to_thread(_decode, encoded, response_id, revised_prompt)


def _decode(encoded: str | bytes, response_id: str, revised_prompt: str) -> GeneratedImage:
    try:
        data = _from_base64(encoded) if isinstance(encoded, str) else encoded
        with opened(data, READABLE) as image:
            if image.format not in _MIME_TYPES:
                data = to_png(image)
            mime_type = _MIME_TYPES.get(image.format or "", "image/png")
            width, height = image.size
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.BAD_IMAGE) from None
    return GeneratedImage(data, mime_type, width, height, response_id, revised_prompt)


def _from_base64(text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:  # some break their lines
        return pybase64.b64decode("".join(text.split()), validate=True)


def to_png(image: Image.Image) -> bytes:
    """The picture, or the first of several, as a file."""
    out = io.BytesIO()
    image.convert("RGBA" if image.has_transparency_data else "RGB").save(out, "PNG")
    return out.getvalue()
