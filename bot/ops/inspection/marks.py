"""The marks in the parts of a file: XMP, PNG text, EXIF, and a C2PA manifest."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from PIL import ExifTags, Image

from bot.domain.images import EDITED, MADE, XMP_KEYWORD, xmp_of
from bot.ops.inspection.containers import Part

_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEADER = len(_JPEG_XMP_EXTENSION) + 32 + 8
"""The identifier, a checksum, and two numbers of four bytes."""
_EXIF = b"Exif\0\0"
_MOST_XMP = 2**20
_MOST_TEXT = 4096
"""Bytes that are kept of all XMP, and of each text of a PNG: a few packed bytes unpack to many."""
_MOST_TEXTS = 100
_TOLD_OF_XMP = (
    "DigitalSourceType",
    "CreatorTool",
    "Credit",
    "AISystemUsed",
    "AISystemVersionUsed",
    "AIPromptInformation",
)
_TOLD_OF_EXIF = (
    "Make",
    "Model",
    "Software",
    "DateTime",
    "Artist",
    "Copyright",
    "ImageDescription",
    "Orientation",
)
_OURS = {
    xmp_of(from_picture=False): "written by imagine-bot",
    xmp_of(from_picture=True): "written by imagine-bot",
}
_MEANINGS = {
    MADE: "made by a model",
    EDITED: "made by a model from a picture",
}


@dataclass
class Marks:
    """`texts` are PNG's, `exif` the tags by name; `c2pa` is the bytes of the manifest store."""

    xmp: bytes = b""
    texts: list[tuple[str, str]] = field(default_factory=list)
    exif: dict[str, str] = field(default_factory=dict)
    c2pa: int = 0

    def add(self, part: Part) -> None:
        """Take up what the part tells, if it tells anything."""
        self._add(part)
        self.xmp = self.xmp[:_MOST_XMP]

    def _add(self, part: Part) -> None:
        match part:
            case Part("iTXt" | "tEXt" | "zTXt", data):
                self._add_text(part.name, data)
            case Part("XMP ", data):
                self.xmp += data
            case Part("APP1", data) if data.startswith(_JPEG_XMP):
                self.xmp += data.removeprefix(_JPEG_XMP)
            case Part("APP1", data) if data.startswith(_JPEG_XMP_EXTENSION):
                self.xmp += data[_EXTENSION_HEADER:]
            case Part("eXIf" | "EXIF", data):
                self.exif |= _exif(data)
            case Part("APP1", data) if data.startswith(_EXIF):
                self.exif |= _exif(data)
            case Part("caBX" | "C2PA", data):
                self.c2pa += len(data)
            case Part("APP11", data) if data[:2] == b"JP" and (self.c2pa or b"c2pa" in data):
                self.c2pa += len(data)

    def _add_text(self, kind: str, data: bytes) -> None:
        keyword, text = _png_text(kind, data)
        if keyword == XMP_KEYWORD:
            self.xmp += text
        elif keyword and len(self.texts) < _MOST_TEXTS:
            encoding = "utf-8" if kind == "iTXt" else "latin-1"
            self.texts.append((keyword, text.decode(encoding, "replace")))


def _png_text(kind: str, data: bytes) -> tuple[str, bytes]:
    """The keyword and the beginning of the text; a broken one has an empty text."""
    start, _, text = data.partition(b"\0")
    keyword = start.decode("latin-1")
    packed = kind == "zTXt" or (kind == "iTXt" and text[:1] == b"\1")
    if kind == "zTXt":
        text = text[1:]
    elif kind == "iTXt":
        text = text[2:].partition(b"\0")[2].partition(b"\0")[2]  # after language and translation
    most = _MOST_XMP if keyword == XMP_KEYWORD else _MOST_TEXT
    return keyword, _unpacked(text, most) if packed else text[:most]


def _unpacked(packed: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, most)
    except zlib.error:
        return b""


def _exif(data: bytes) -> dict[str, str]:
    exif = Image.Exif()
    try:
        exif.load(data if data.startswith(_EXIF) else _EXIF + data)
        named = {ExifTags.TAGS.get(tag, ""): value for tag, value in exif.items()}
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken tags
        return {"": "cannot be read"}
    told = {name: str(named[name]) for name in _TOLD_OF_EXIF if named.get(name) not in {None, ""}}
    return told | ({"GPSInfo": "a position"} if "GPSInfo" in named else {})


def lines(marks: Marks) -> Iterator[str]:
    """What the marks say, one line each, but for the C2PA manifest's content."""
    yield from _xmp_lines(marks.xmp)
    yield from (f"PNG text {shown(keyword)}: {shown(text)}" for keyword, text in marks.texts)
    for name, value in marks.exif.items():
        yield f"EXIF {name}: {shown(value)}" if name else f"EXIF {value}"


def _xmp_lines(xmp: bytes) -> Iterable[str]:
    if not xmp:
        return
    text = _decoded(xmp)
    ours = _OURS.get(text.strip("\0").strip())
    yield f"XMP packet, {ours}" if ours else "XMP packet"
    for name in _TOLD_OF_XMP:
        for value in _values(text, name):
            meaning = f" ({_MEANINGS[value]})" if value in _MEANINGS else ""
            yield f"XMP {name}: {shown(value)}{meaning}"


def _decoded(xmp: bytes) -> str:
    """XMP is UTF-8 nearly always, and may be UTF-16."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"<\0", "utf-16-le")):
        if xmp.startswith(mark):
            return xmp.decode(encoding, "replace")
    return xmp.decode("utf-16-be" if xmp.startswith(b"\0<") else "utf-8", "replace")


def _values(xmp: str, name: str) -> list[str]:
    """Of a property, written as an attribute, an element or a resource; each once. XML is not
    parsed: a packet may be broken, or made to blow a parser up. Nor may it make the pattern slow:
    every repetition is bounded."""
    gap, text = r"\s{0,80}", "{1,400}"
    found = re.findall(
        rf"[\w.-]:{name}(?:{gap}={gap}(?:\"([^\"]{text})|'([^']{text}))"
        rf"|\s{{1,80}}rdf:resource{gap}={gap}[\"']([^\"']{text})"
        rf"|>{gap}(?:<rdf:\w{{1,20}}[^<>]{{0,80}}>{gap}){{0,2}}([^<]{text}))",
        xmp,
    )
    values = ("".join(groups).strip() for groups in found)
    return list(dict.fromkeys(filter(None, values)))


def shown(text: str, longest: int = 200) -> str:
    """One printable line: a file can hold what a terminal would obey."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return line if len(line) <= longest else f"{line[:longest]}…"
