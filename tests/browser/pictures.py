"""Pictures to attach and to show."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def picture(colour: str, size: tuple[int, int] = (640, 480)) -> bytes:
    """A PNG of one colour."""
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()
