"""The parts of a PNG, JPEG or WebP file, each a name and its bytes. No pixel is decoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from bot.domain.errors import ImagineError

PNG, JPEG, WEBP = "PNG", "JPEG", "WebP"
MIME_TYPES = {PNG: "image/png", JPEG: "image/jpeg", WEBP: "image/webp"}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OTHERS = {b"GIF8": "a GIF", b"II*\0": "a TIFF", b"MM\0*": "a TIFF", b"BM": "a BMP"}
_BRANDS = {b"avif": "an AVIF", b"avis": "an AVIF", b"heic": "a HEIC", b"mif1": "a HEIC"}
_START_OF_SCAN, _END = 0xDA, 0xD9
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


class NoImage(ImagineError):
    """The file is none of the formats that can be inspected; the text says what it is."""


class CutShort(ImagineError):
    """The file ends before its image does."""


class Part(NamedTuple):
    """A chunk of a PNG or WebP file, or an application segment of a JPEG (`APP1`)."""

    name: str
    data: bytes


def format_of(data: bytes) -> str:
    """Raises `NoImage`."""
    if data.startswith(_PNG_SIGNATURE):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if not data:
        raise NoImage("the file is empty")
    known = [words for magic, words in _OTHERS.items() if data.startswith(magic)]
    if data[4:8] == b"ftyp":
        known += [_BRANDS[data[8:12]]] if data[8:12] in _BRANDS else []
    what = known[0] if known else "no image"
    raise NoImage(f"the file is {what}; only PNG, JPEG and WebP can be inspected")


def parts_of(data: bytes) -> Iterator[Part]:
    """In the order of the file. Raises `NoImage`, and `CutShort` after the parts that are there."""
    walks = {PNG: _png_chunks, JPEG: _jpeg_segments, WEBP: _webp_chunks}
    return walks[format_of(data)](data)


def _png_chunks(data: bytes) -> Iterator[Part]:
    at, name = len(_PNG_SIGNATURE), ""
    while name != "IEND":
        length, name = struct.unpack(">I4s", _slice(data, at, 8))[0], _name(data, at + 4)
        yield Part(name, _slice(data, at + 8, length))
        at += 12 + length


def _webp_chunks(data: bytes) -> Iterator[Part]:
    at, end = 12, 8 + struct.unpack("<I", data[4:8])[0]
    while at < end:
        length = struct.unpack("<I", _slice(data, at + 4, 4))[0]
        yield Part(_name(data, at), _slice(data, at + 8, length))
        at += 8 + length + length % 2


def _jpeg_segments(data: bytes) -> Iterator[Part]:
    """Up to the pixels: what describes an image comes before them."""
    at = 2
    while True:
        while _slice(data, at, 2) == b"\xff\xff":  # padding
            at += 1
        marker = _slice(data, at, 2)
        if marker[0] != 0xFF:
            raise CutShort
        if marker[1] in {_START_OF_SCAN, _END}:
            return
        if marker[1] in _WITHOUT_LENGTH:
            at += 2
            continue
        length = struct.unpack(">H", _slice(data, at + 2, 2))[0]
        if length < 2:
            raise CutShort
        if 0xE0 <= marker[1] <= 0xEF:
            yield Part(f"APP{marker[1] - 0xE0}", _slice(data, at + 4, length - 2))
        at += 2 + length


def _name(data: bytes, at: int) -> str:
    return _slice(data, at, 4).decode("latin-1")


def _slice(data: bytes, at: int, length: int) -> bytes:
    found = data[at : at + length]
    if len(found) < length:
        raise CutShort
    return found
