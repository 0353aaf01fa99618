"""Files of a few bytes that unpack to many, made without unpacking them: small ones whose header
tells of another size."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

WIDE, HIGH = 8000, 8000
"""64 megapixels."""


def small(kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 10, 10)).save(out, kind, **more)
    return out.getvalue()


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (16, 16), (n, 9, 9)) for n in (50, 150, 250)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def png(width: int = WIDE, height: int = HIGH, data: bytes | None = None) -> bytes:
    """Honest to its last byte, where the data are not given: black, one bit a pixel."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    if data is None:
        data = zlib.compress(bytes((width + 7) // 8 + 1) * height, 1)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def with_chunk(name: bytes, data: bytes) -> bytes:
    """A small PNG with one more chunk behind its header."""
    plain = small("PNG")
    chunk = struct.pack(">I", len(data)) + name + data
    return plain[:33] + chunk + struct.pack(">I", zlib.crc32(name + data)) + plain[33:]


def gif(width: int = WIDE, height: int = HIGH) -> bytes:
    """The canvas is large, the frame is not."""
    data = small("GIF")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def gif_frame(width: int = WIDE, height: int = HIGH) -> bytes:
    """The frame is larger than its canvas."""
    data = small("GIF")
    at = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1) if data[10] & 0x80 else 13)
    return data[: at + 5] + struct.pack("<HH", width, height) + data[at + 9 :]


def jpeg(width: int = WIDE, height: int = HIGH, **more: Any) -> bytes:
    data = small("JPEG", **more)
    at = data.index(b"\xff\xc2" if more.get("progressive") else b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def jpeg_of_two_sizes(width: int = WIDE, height: int = HIGH) -> bytes:
    """A large frame header in front of a small one: readers differ in which they believe."""
    data = small("JPEG")
    at = data.index(b"\xff\xc0")
    end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    large = data[at : at + 5] + struct.pack(">HH", height, width) + data[at + 9 : end]
    return data[:at] + large + data[at:]


def webp_lossless(width: int = WIDE, height: int = HIGH) -> bytes:
    data = small("WEBP", lossless=True)
    at = data.index(b"VP8L") + 9
    (bits,) = struct.unpack("<I", data[at : at + 4])
    bits = bits & ~0xFFFFFFF | (width - 1) | (height - 1) << 14
    return data[:at] + struct.pack("<I", bits) + data[at + 4 :]


def webp_lossy(width: int = WIDE, height: int = HIGH) -> bytes:
    data = small("WEBP")
    at = data.index(b"VP8 ") + 14
    return data[:at] + struct.pack("<HH", width, height) + data[at + 4 :]


def webp_canvas(width: int = WIDE, height: int = HIGH) -> bytes:
    """A moving one, whose canvas is large and whose frames are not."""
    data = moving("WEBP")
    at = data.index(b"VP8X") + 12
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return data[:at] + sides + data[at + 6 :]


def webp_frame(width: int = WIDE, height: int = HIGH) -> bytes:
    """A moving one, whose first frame is larger than its canvas."""
    data = moving("WEBP")
    at = data.index(b"ANMF") + 14
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return data[:at] + sides + data[at + 6 :]


def webp_frame_data(width: int = WIDE, height: int = HIGH) -> bytes:
    """A moving one, in which the data of the first frame tell of more than its frame."""
    data = moving("WEBP")
    at = data.index(b"VP8 ") + 14
    return data[:at] + struct.pack("<HH", width, height) + data[at + 4 :]


HEADERS = {
    "png": png(data=b"x"),
    "honest png": png(),
    "long png": png(2_000_000_000, 1, b"x"),
    "jpeg": jpeg(),
    "progressive jpeg": jpeg(progressive=True),
    "longest jpeg": jpeg(65_500, 65_500),
    "gif": gif(),
    "largest gif": gif(65_535, 65_535),
    "gif frame": gif_frame(),
    "webp lossless": webp_lossless(),
    "largest webp": webp_lossless(16_384, 16_384),
    "webp lossy": webp_lossy(),
    "webp canvas": webp_canvas(),
}
"""What tells of more pixels than are read."""
LIARS = {
    "jpeg of two sizes": jpeg_of_two_sizes(),
    "webp frame": webp_frame(),
    "webp frame's data": webp_frame_data(),
    "webp canvas of 2^24": webp_canvas(1 << 24, 1 << 24),
    "half a png": png()[:500],
    "png of no data": png(100, 100, b""),
    "png of too few data": png(7000, 7000, zlib.compress(bytes(100))),
    "png of no width": png(0, 9, b"x"),
    "jpeg of no height": jpeg(100, 0),
    "webp cut off": small("WEBP")[:40],
    "gif of no size": gif(0, 0),
}
"""What contradicts itself, or ends too soon."""
