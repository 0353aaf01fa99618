"""From the bytes of a person's file to a picture that can be worked with."""

from __future__ import annotations

import io

from PIL import Image

from bot.domain.errors import FailureKind, GenerationError
from bot.imaging import TooManyPixels, opened

_READABLE = ("PNG", "JPEG", "WEBP", "GIF")


def readable_picture(data: bytes) -> bytes:
    """The picture as PNG, JPEG or WebP, read to its last byte once; of a moving one the first
    frame. Raises `GenerationError` with `SOURCE_TOO_LARGE` or `SOURCE_UNREADABLE`."""
    try:
        with opened(data, _READABLE) as image:
            image.load()
            return _to_png(image) if _moves(image) else data
    except TooManyPixels:
        raise GenerationError(FailureKind.SOURCE_TOO_LARGE) from None
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.SOURCE_UNREADABLE) from None


def _moves(image: Image.Image) -> bool:
    """A GIF counts even with one frame, and its frames are not looked for: there may be millions.
    An MPO is a JPEG whose other frames nobody looks at."""
    if image.format == "GIF":
        return True
    return image.format in {"PNG", "WEBP"} and getattr(image, "n_frames", 1) > 1


def _to_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGBA" if image.has_transparency_data else "RGB").save(out, "PNG")
    return out.getvalue()
