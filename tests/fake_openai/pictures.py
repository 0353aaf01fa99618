"""Small valid images that differ from each other."""

import hashlib
import io
import os
import struct
import zlib

from PIL import Image
from PIL.PngImagePlugin import PngInfo

RASTER = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}


def draw(number: int, prompt: str, size: str, output_format: str, pad_to: int = 0) -> bytes:
    """The `number`th image: a sixteenth of `size` ("WxH"), coloured by number and prompt.

    `pad_to`: bytes to reach, by a chunk or segment that readers skip.
    """
    width, height = (max(1, int(side) // 16) for side in dimensions(size))
    digest = hashlib.sha256(f"{number} {prompt}".encode("utf-8", "replace")).digest()
    image = Image.new("RGB", (width, height), (digest[0], digest[1], digest[2]))
    image.putpixel((0, 0), (number >> 16 & 255, number >> 8 & 255, number & 255))
    out = io.BytesIO()
    if output_format == "png":
        about = PngInfo()
        about.add_text("number", str(number))
        image.save(out, "PNG", pnginfo=about)
    elif output_format == "webp":
        image.save(out, "WEBP", lossless=True)
    else:
        image.save(out, RASTER[output_format])
    return pad(out.getvalue(), output_format, pad_to)


def dimensions(size: str) -> tuple[int, int]:
    """Width and height of "WxH"; "auto" is a square."""
    width, _, height = "1024x1024".partition("x") if size == "auto" else size.partition("x")
    return int(width), int(height)


def pad(data: bytes, output_format: str, pad_to: int) -> bytes:
    """`data` grown to `pad_to` bytes (png, webp) with random, incompressible filler."""
    missing = pad_to - len(data) - 12
    if missing <= 0 or output_format == "jpeg":
        return data
    filler = os.urandom(missing)
    if output_format == "png":
        chunk = b"paDd" + filler
        framed = struct.pack(">I", missing) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return data[:-12] + framed + data[-12:]
    filler += b"\0" * (missing % 2)
    grown = data + b"paDd" + struct.pack("<I", len(filler)) + filler
    return grown[:4] + struct.pack("<I", len(grown) - 8) + grown[8:]


def is_image(data: bytes) -> bool:
    """Whether these bytes open as a PNG, JPEG, WebP or GIF."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.format in {"PNG", "JPEG", "WEBP", "GIF"}
    except (OSError, ValueError, SyntaxError):
        return False
