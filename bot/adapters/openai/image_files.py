"""An image that is to be edited, as providers take it: PNG, JPEG or WebP, and one picture."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pybase64
from PIL import Image

from bot.adapters.openai.decoding import READABLE, to_png
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import BaseImage
from bot.imaging import TooManyPixels, opened

_TAKEN = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}


class File(NamedTuple):
    """In the order in which the SDK wants a file."""

    name: str
    data: bytes
    mime_type: str


async def file_of(base: BaseImage) -> File:
    """The bytes as a file whose name and type are what they really are. Raises `GenerationError`
    with `SOURCE_GONE` where there are none, `SOURCE_UNREADABLE` where they are no image, and
    `SOURCE_TOO_LARGE`."""
    if not base.data:
        raise GenerationError(FailureKind.SOURCE_GONE)
    return await asyncio.to_thread(_file, base.data)


async def data_url_of(base: BaseImage) -> str:
    """The same as a data URL."""
    file = await file_of(base)
    return f"data:{file.mime_type};base64,{pybase64.b64encode_as_string(file.data)}"


def _file(data: bytes) -> File:
    try:
        with opened(data, READABLE) as image:
            mime_type = _TAKEN.get(image.format or "", "")
            if not mime_type or _moves(image):
                data, mime_type = to_png(image), "image/png"
    except TooManyPixels:
        raise GenerationError(FailureKind.SOURCE_TOO_LARGE) from None
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.SOURCE_UNREADABLE) from None
    return File(f"image.{mime_type.removeprefix('image/')}", data, mime_type)


def _moves(image: Image.Image) -> bool:
    return image.format == "WEBP" and bool(getattr(image, "is_animated", False))
