"""Images as files: a provider's answer becomes an image that Slack shows, and an image to edit
becomes a file that providers take."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import pybase64
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.adapters.imaging import TooManyPixels, open_image
from bot.adapters.openai.bounded_answers import LARGEST_IMAGE
from bot.adapters.openai.whole_image import begins_as_image, check_whole
from bot.domain.attempt import model_name
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import XMP_KEYWORD, BaseImage, GeneratedImage, xmp_of

_SLACK_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "GIF": "image/gif",
}
_XMP_TAG = 700
_PROVIDER_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
}
READABLE = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
"""Raster formats only: Pillow starts an outside program for some of the others."""

_CONVERTER = ThreadPoolExecutor(1, "converter")
"""One conversion at a time: each takes many bytes of memory per pixel."""


async def decode_image(
    encoded: str | bytes,
    *,
    response_id: str = "",
    revised_prompt: str = "",
    model: str = "",
    from_picture: bool = False,
) -> GeneratedImage:
    """Read base64, a data URL or an image file, off the event loop: a few bytes can unpack to many.
    An image that Slack shows stays as it is, byte for byte: its maker may have signed it. Raises
    `GenerationError` with `BAD_IMAGE`, or `CUT_IMAGE` where only a part of it came."""
    data, image = await asyncio.to_thread(_read, encoded)
    if image is None:
        loop = asyncio.get_running_loop()
        image = await loop.run_in_executor(_CONVERTER, _converted, data, from_picture)
    return replace(
        image, response_id=response_id, revised_prompt=revised_prompt, model=model_name(model)
    )


def _read(encoded: str | bytes) -> tuple[bytes, GeneratedImage | None]:
    """The bytes, checked to their end, and the image; None where it has to be converted."""
    data = _from_base64(encoded) if isinstance(encoded, str) else encoded
    if len(data) > LARGEST_IMAGE:
        raise GenerationError(FailureKind.BAD_IMAGE)
    with _damage_of(data), open_image(data, READABLE) as image:
        mime_type, size = _SLACK_TYPES.get(image.format or "", ""), image.size
        check_whole(data, image)
        return data, GeneratedImage(data, mime_type, *size) if mime_type else None


def _converted(data: bytes, from_picture: bool) -> GeneratedImage:
    with _damage_of(data), open_image(data, READABLE) as image:
        png = to_png(image, xmp_of(from_picture=from_picture, existing=_xmp(image)))
        return GeneratedImage(png, "image/png", *image.size)


@contextmanager
def _damage_of(data: bytes) -> Iterator[None]:
    """`BAD_IMAGE` for what another call would bring again; `CUT_IMAGE` for a damaged image."""
    try:
        yield
    except TooManyPixels:
        raise GenerationError(FailureKind.BAD_IMAGE) from None
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        damaged = begins_as_image(data)
        kind = FailureKind.CUT_IMAGE if damaged else FailureKind.BAD_IMAGE
        raise GenerationError(kind) from None


def _xmp(image: Image.Image) -> bytes:
    """The XMP metadata of the file. TIFF keeps it in a tag."""
    tags = getattr(image, "tag_v2", {})
    found = image.info.get("xmp") or tags.get(_XMP_TAG) or b""
    return found if isinstance(found, bytes) else b""


def _from_base64(text: str) -> bytes:
    """Some servers break their lines or leave out the padding; what is cut short is read as far as
    it goes. Raises `GenerationError(BAD_IMAGE)`."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        text = "".join(text.split()).rstrip("=")
    try:
        whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
        return pybase64.b64decode(whole + "=" * (-len(whole) % 4), validate=True)
    except ValueError:
        raise GenerationError(FailureKind.BAD_IMAGE) from None


def to_png(image: Image.Image, xmp: str = "") -> bytes:
    """The picture, or its first frame, as a PNG file without the metadata of its old file."""
    about = PngInfo()
    if xmp:
        about.add_itxt(XMP_KEYWORD, xmp)
    out = io.BytesIO()
    converted = image.convert("RGBA" if image.has_transparency_data else "RGB")
    converted.save(out, "PNG", pnginfo=about)
    return out.getvalue()


class ImageFile(NamedTuple):
    """A file to upload, with its fields in the order of the SDK's tuples."""

    name: str
    data: bytes
    mime_type: str


async def file_of(base: BaseImage) -> ImageFile:
    """The image to edit as a file; its name and type follow from the bytes. Raises
    `GenerationError` with `SOURCE_GONE` where there are no bytes, `SOURCE_UNREADABLE` where they
    are no image, and `SOURCE_TOO_MANY_PIXELS`."""
    if not base.data:
        raise GenerationError(FailureKind.SOURCE_GONE)
    return await asyncio.to_thread(_file, base.data)


async def data_url_of(base: BaseImage) -> str:
    """The image to edit as a data URL. Raises as `file_of`."""
    file = await file_of(base)
    return f"data:{file.mime_type};base64,{pybase64.b64encode_as_string(file.data)}"


def _file(data: bytes) -> ImageFile:
    try:
        with open_image(data, READABLE) as image:
            mime_type = _PROVIDER_TYPES.get(image.format or "", "")
            if not mime_type or _is_animated(image):
                data, mime_type = to_png(image), "image/png"
    except TooManyPixels:
        raise GenerationError(FailureKind.SOURCE_TOO_MANY_PIXELS) from None
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.SOURCE_UNREADABLE) from None
    return ImageFile(f"image.{mime_type.removeprefix('image/')}", data, mime_type)


def _is_animated(image: Image.Image) -> bool:
    return image.format == "WEBP" and bool(getattr(image, "is_animated", False))
