"""Whether an image file has come to its end, and undamaged.

A PNG has checksums, of its chunks and of its pixels; a GIF has blocks up to a trailer; a JPEG has
to be decoded, which at an eighth of its size takes little memory. Other formats are decoded whole
when they are converted.
"""

from __future__ import annotations

import zlib

from PIL import Image

_FIRST = {b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_STEP = 2**16
"""Bytes that are inflated at a time."""
_MOST_AT_ONCE = 2**20


class DamagedImage(ValueError):
    """The file is cut short, or not as it was written."""


def begins_as_image(data: bytes) -> bool:
    """Whether it starts as a PNG, JPEG, GIF or WebP does."""
    return any(data.startswith(first) for first in _FIRST)


def check_whole(data: bytes, image: Image.Image) -> None:
    """`image` is open and not decoded yet. Raises `DamagedImage`; at broken files Pillow raises
    nearly anything."""
    if image.format == "PNG":
        _check_png(memoryview(data))
    elif image.format == "GIF":
        _check_gif(data)
        image.load()
    elif image.format in {"JPEG", "MPO"}:
        image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
        image.load()


def _check_png(data: memoryview) -> None:
    pixels = _Pixels(data)
    at, kind = 8, b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise DamagedImage("no end")
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind = bytes(data[at + 4 : at + 8])
        checksum = int.from_bytes(data[end - 4 : end])
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != checksum:
            raise DamagedImage("a chunk is cut or changed")
        if kind == b"IDAT":
            pixels.take(data[at + 8 : end - 4])
        at = end
    if not pixels.complete:
        raise DamagedImage("pixels are missing")


class _Pixels:
    """The pixels of a PNG, inflated piece by piece and thrown away."""

    def __init__(self, data: memoryview) -> None:
        if len(data) < 33:
            raise DamagedImage("no header")
        width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
        bits = width * data[24] * _CHANNELS.get(data[25], 4)
        self._size = height * (1 + -(-bits // 8))
        self._interlaced = data[28] != 0
        self._inflater = zlib.decompressobj()
        self._count = 0

    @property
    def complete(self) -> bool:
        """The size of an interlaced image depends on its passes."""
        enough = self._interlaced or self._count >= self._size
        return self._inflater.eof and enough

    def take(self, data: memoryview) -> None:
        try:
            for start in range(0, len(data), _STEP):
                piece: bytes | memoryview = data[start : start + _STEP]
                while piece and not self._inflater.eof:
                    self._count += len(self._inflater.decompress(piece, _MOST_AT_ONCE))
                    piece = self._inflater.unconsumed_tail
                    if self._count > 2 * self._size + _MOST_AT_ONCE:
                        raise DamagedImage("more pixels than its header tells")
        except zlib.error:
            raise DamagedImage("the pixels are changed") from None


def _check_gif(data: bytes) -> None:
    try:
        at = 13 + _table(data[10])
        while data[at] != 0x3B:
            if data[at] == 0x21:
                at += 2
            elif data[at] == 0x2C:
                at += 11 + _table(data[at + 9])
            else:
                raise DamagedImage("an unknown block")
            while size := data[at]:
                at += 1 + size
            at += 1
    except IndexError:
        raise DamagedImage("no trailer") from None


def _table(packed: int) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
