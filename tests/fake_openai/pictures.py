"""Small valid images that differ from each other."""

import hashlib
import io
import os
import struct
import zlib
from dataclasses import dataclass

from PIL import Image
from PIL.PngImagePlugin import PngInfo

RASTER = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
MIME_TYPES = {name: f"image/{name.lower()}" for name in ("PNG", "JPEG", "WEBP", "GIF")}


@dataclass(frozen=True)
class Look:
    """What an image is asked to be: `size` is "WxH"."""

    size: str
    output_format: str
    transparent: bool = False


def draw(number: int, prompt: str, look: Look, pad_to: int = 0) -> bytes:
    """The `number`th image: a sixteenth of its size, coloured by number and prompt.

    `pad_to`: bytes to reach, by a chunk or segment that readers skip.
    """
    image, output_format = paint(number, prompt, look), look.output_format
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


def paint(number: int, prompt: str, look: Look) -> Image.Image:
    """A coloured field; with a transparent background, its right half is not there."""
    width, height = (max(1, int(side) // 16) for side in dimensions(look.size))
    digest = hashlib.sha256(f"{number} {prompt}".encode("utf-8", "replace")).digest()
    image = Image.new("RGB", (width, height), (digest[0], digest[1], digest[2]))
    image.putpixel((0, 0), (number >> 16 & 255, number >> 8 & 255, number & 255))
    if look.transparent:
        image.putalpha(255)
        image.paste((0, 0, 0, 0), (width - width // 2, 0, width, height))
    return image


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


def mime_type(data: bytes) -> str | None:
    """What these bytes open as: PNG, JPEG, WebP or a GIF that stands still; else None."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            moves = getattr(image, "is_animated", False)
            return None if moves else MIME_TYPES.get(image.format or "")
    except (OSError, ValueError, SyntaxError):
        return None
