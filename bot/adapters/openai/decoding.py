"""From what a provider sent to an image that the program can show: PNG, JPEG or GIF."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import pybase64
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import GeneratedImage
from bot.domain.provenance import XMP_KEYWORD, model_name, xmp_of
from bot.imaging import opened

_MIME_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "GIF": "image/gif"}
_XMP_TAG = 700
READABLE = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
"""Raster formats only: Pillow starts an outside program for some of the others."""


async def decode_image(
    encoded: str | bytes,
    *,
    response_id: str = "",
    revised_prompt: str = "",
    model: str = "",
    from_picture: bool = False,
) -> GeneratedImage:
    """Read base64 (a data URL too) or an image file, off the event loop: a few bytes can unpack
    to many. What can be shown stays as it is, byte for byte: its maker may have signed it. Raises
    `GenerationError(BAD_IMAGE)`."""
    image = await asyncio.to_thread(_decode, encoded, from_picture)
    return replace(
        image, response_id=response_id, revised_prompt=revised_prompt, model=model_name(model)
    )


def _decode(encoded: str | bytes, from_picture: bool) -> GeneratedImage:
    try:
        data = _from_base64(encoded) if isinstance(encoded, str) else encoded
        with opened(data, READABLE) as image:
            if image.format not in _MIME_TYPES:
                data = to_png(image, xmp_of(from_picture=from_picture, existing=_xmp(image)))
            mime_type = _MIME_TYPES.get(image.format or "", "image/png")
            width, height = image.size
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.BAD_IMAGE) from None
    return GeneratedImage(data, mime_type, width, height)


def _xmp(image: Image.Image) -> bytes:
    """What the file has; TIFF keeps it in a tag."""
    tags = getattr(image, "tag_v2", {})
    found = image.info.get("xmp") or tags.get(_XMP_TAG) or b""
    return found if isinstance(found, bytes) else b""


def _from_base64(text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:  # some break their lines
        return pybase64.b64decode("".join(text.split()), validate=True)


def to_png(image: Image.Image, xmp: str = "") -> bytes:
    """The picture, or the first of several, as a file. It loses what its file said besides."""
    about = PngInfo()
    if xmp:
        about.add_itxt(XMP_KEYWORD, xmp)
    out = io.BytesIO()
    converted = image.convert("RGBA" if image.has_transparency_data else "RGB")
    converted.save(out, "PNG", pnginfo=about)
    return out.getvalue()
