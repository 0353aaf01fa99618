"""`python -m bot inspect FILE`: what it says of files of every kind."""

from __future__ import annotations

import io
import os
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.__main__ import main
from bot.domain.images import EDITED, MADE, XMP_KEYWORD, xmp_of
from tests.support.signed_images import SIGNER, signed

FORMATS = ["PNG", "JPEG", "WEBP"]
OTHERS_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description xmp:CreatorTool="Paint \x1b[31m"'
    f' Iptc4xmpExt:DigitalSourceType="{EDITED}"><photoshop:Credit>Anna</photoshop:Credit>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def image_file(kind: str, xmp: str = "", exif: Image.Exif | None = None) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {} if exif is None else {"exif": exif}
    if kind == "PNG":
        about = PngInfo()
        if xmp:
            about.add_itxt(XMP_KEYWORD, xmp)
        Image.new("RGB", (4, 4)).save(out, kind, pnginfo=about, **options)
    else:
        options |= {"xmp": xmp.encode()} if xmp else {}
        Image.new("RGB", (4, 4)).save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def with_chunks(*chunks: bytes, last: bool = False) -> bytes:
    """A PNG with these chunks after the header, or after the pixels."""
    data = image_file("PNG")
    at = data.index(b"IEND") - 4 if last else 33
    return data[:at] + b"".join(chunks) + data[at:]


Say = Callable[[bytes], list[str]]


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """What the command prints below the file's name."""

    def inspected(data: bytes) -> list[str]:
        path = tmp_path / "image"
        path.write_bytes(data)
        assert main(["inspect", str(path)]) == 0
        head, *lines = capsys.readouterr().out.splitlines()
        assert head.startswith(f"{path}: ")
        return [line.strip() for line in lines]

    return inspected


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_without_marks_says_so(say: Say, kind: str) -> None:
    assert say(image_file(kind)) == ["no marks"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("from_picture", "told"),
    [(False, f"{MADE} (made by a model)"), (True, f"{EDITED} (made by a model from a picture)")],
)
def test_our_own_mark_is_known(say: Say, kind: str, from_picture: bool, told: str) -> None:
    said = say(image_file(kind, xmp_of(from_picture=from_picture)))
    assert said == ["XMP packet, written by imagine-bot", f"XMP DigitalSourceType: {told}"]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_xmp_of_others_is_told_in_one_printable_line_each(say: Say, kind: str) -> None:
    assert say(image_file(kind, OTHERS_XMP)) == [
        "XMP packet",
        f"XMP DigitalSourceType: {EDITED} (made by a model from a picture)",
        "XMP CreatorTool: Paint [31m",
        "XMP Credit: Anna",
    ]


@pytest.mark.parametrize(
    "written",
    [
        f"<Iptc4xmpExt:DigitalSourceType>{MADE}</Iptc4xmpExt:DigitalSourceType>",
        f"<a Iptc4xmpExt:DigitalSourceType='{MADE}'/>",
        f'<a iptcExt:DigitalSourceType = "{MADE}"/>',
        f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{MADE}"/>',
        f"<e:DigitalSourceType>\n <rdf:Bag><rdf:li>{MADE}</rdf:li></rdf:Bag></e:DigitalSourceType>",
        f'<a e:DigitalSourceType="{MADE}"/><b e:DigitalSourceType="{MADE}"/>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_source_type_is_found_however_it_is_written(
    say: Say, written: str, encoding: str
) -> None:
    itxt = XMP_KEYWORD.encode() + b"\0\0\0\0\0" + written.encode(encoding)
    said = say(with_chunks(chunk(b"iTXt", itxt)))
    assert said == ["XMP packet", f"XMP DigitalSourceType: {MADE} (made by a model)"]


@pytest.mark.parametrize(
    "hostile",
    [
        "a:Credit" + " " * 900_000,
        "a:Credit>" + " " * 900_000,
        "a:Credit=" + " " * 900_000,
        'a:Credit="' * 90_000,
        "a:Credit>" * 90_000,
        "a:Credit><rdf:a " * 60_000,
        "a:Credit>" + "<rdf:li>" * 100_000,
        "a:Credit rdf:resource=" * 40_000,
    ],
)
def test_xmp_that_is_made_to_take_long_takes_no_time(say: Say, hostile: str) -> None:
    packed = zlib.compress(hostile.encode(), 1)
    started = time.process_time()
    say(with_chunks(chunk(b"iTXt", XMP_KEYWORD.encode() + b"\0\1\0\0\0" + packed)))
    assert time.process_time() - started < 3.0


def test_a_long_value_is_cut_and_not_left_out(say: Say) -> None:
    xmp = f'<a e:AIPromptInformation="{"long " * 500}"/><e:Credit>{"long " * 500}</e:Credit>'
    _, credit, prompt = say(image_file("PNG", xmp))
    assert credit.startswith("XMP Credit: long long")
    assert prompt.startswith("XMP AIPromptInformation: long long")


def test_a_file_of_very_many_texts_is_not_told_in_full(say: Say) -> None:
    bomb = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(b"a" * 1_000_000))
    said = say(with_chunks(*[bomb] * 500))
    assert len(said) == 100
    assert sum(map(len, said)) < 30_000


def test_a_jpegs_extended_xmp_is_read(say: Say) -> None:
    data = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8) + OTHERS_XMP.encode()
    segment = b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
    jpeg = image_file("JPEG")
    assert "XMP Credit: Anna" in say(jpeg[:2] + segment + jpeg[2:])


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        (b"tEXt", b"Software\0Some Studio \xe9", "PNG text Software: Some Studio é"),
        (b"zTXt", b"parameters\0\0" + zlib.compress(b"a fox"), "PNG text parameters: a fox"),
        (b"iTXt", "Title\0\0\0de\0Titel\0für dich".encode(), "PNG text Title: für dich"),
        (b"iTXt", b"T\0\1\0\0\0" + zlib.compress(b"packed"), "PNG text T: packed"),
        (b"tEXt", b"prompt\0" + b"long " * 100, f"PNG text prompt: {('long ' * 40).strip()}"),
        (b"zTXt", b"broken\0\0nothing packed", "PNG text broken:"),
    ],
)
def test_png_text_is_told_wherever_it_stands(
    say: Say, name: bytes, data: bytes, told: str, last: bool
) -> None:
    (said,) = say(with_chunks(chunk(name, data), last=last))
    assert said.startswith(told)
    assert len(said) < 250


def test_a_text_that_unpacks_to_very_much_is_cut(say: Say) -> None:
    bomb = zlib.compress(bytes(50_000_000), 1)
    assert len(say(with_chunks(chunk(b"zTXt", b"bomb\0\0" + bomb)))) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_exif_is_told_without_the_place(say: Say, kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0131], exif[0x0112] = "Camera & Co", "Editor 3", 6
    exif[0x8825] = {1: "N", 2: (50.0, 3.0, 7.0)}
    assert say(image_file(kind, exif=exif)) == [
        "EXIF Make: Camera & Co",
        "EXIF Software: Editor 3",
        "EXIF Orientation: 6",
        "EXIF GPSInfo: a position",
    ]


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff"]
)
def test_broken_exif_breaks_nothing(say: Say, data: bytes) -> None:
    said = say(with_chunks(chunk(b"eXIf", data)))
    assert said in (["EXIF cannot be read"], ["no marks"])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_c2pa_manifest_is_told_also_without_the_extra(
    say: Say, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    pytest.importorskip("c2pa")
    data = signed(image_file(kind), f"image/{kind.lower()}")
    monkeypatch.setitem(sys.modules, "c2pa", None)
    (said,) = say(data)
    assert said.startswith("C2PA manifest, ")
    assert "the extra `c2pa` reads it: pip install c2pa-python" in said


@pytest.mark.parametrize("kind", FORMATS)
def test_a_c2pa_manifest_is_read_by_the_extra(say: Say, kind: str) -> None:
    pytest.importorskip("c2pa")
    head, *said = say(signed(image_file(kind), f"image/{kind.lower()}"))
    assert "fits the file; its signer is on no list of trusted ones" in head
    assert said == [
        "C2PA claim generator: a model 1.5",
        f"C2PA signed by: {SIGNER}",
        f"C2PA action: c2pa.created, DigitalSourceType {MADE}",
    ]


def test_a_signed_file_that_was_changed_is_told(say: Say) -> None:
    pytest.importorskip("c2pa")
    data = bytearray(signed(image_file("JPEG"), "image/jpeg"))
    data[-5] ^= 0xFF
    assert "does not fit the file" in say(bytes(data))[0]


def test_a_manifest_that_cannot_be_read_is_told(say: Say) -> None:
    (said,) = say(with_chunks(chunk(b"caBX", b"no manifest")))
    assert said.startswith("C2PA manifest, 11 bytes; ")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_ends_early_says_what_it_had(say: Say, kind: str) -> None:
    whole = image_file(kind, xmp_of(from_picture=False))
    for length in range(12, len(whole), 7):
        said = say(whole[:length])
        assert said, length
    assert "may be more marks" in say(whole[:20])[-1]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"hello", "the file is no image"),
        (b"GIF89a" + bytes(20), "the file is a GIF"),
        (b"\0\0\0\x20ftypavif" + bytes(20), "the file is an AVIF"),
        (b"\0\0\0\x20ftypheic" + bytes(20), "the file is a HEIC"),
        (b"\0\0\0\x20ftypisom" + bytes(20), "the file is no image"),
        (b"MM\0*" + bytes(20), "the file is a TIFF"),
        (b"RIFF\0\0\0\0WAVE", "the file is no image"),
        (b"<svg/>", "the file is no image"),
    ],
)
def test_what_is_no_such_image_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, says: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert main(["inspect", str(path)]) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert f"{path}: {says}" in error


def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    large = tmp_path / "large"
    large.write_bytes(b"")
    os.truncate(large, 2**30)
    secret = tmp_path / "secret"
    secret.write_bytes(image_file("PNG"))
    real = Path.read_bytes

    def denied(path: Path) -> bytes:  # the tests may run as root, who may read everything
        if path == secret:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", denied)
    for path, says in {
        str(tmp_path / "nothing"): "No such file or directory",
        str(tmp_path): "is no file",
        str(tmp_path / "pipe"): "is no file",
        str(tmp_path / "loop"): "symbolic links",
        str(large): "has more than 100 MB",
        str(secret): "Permission denied",
        "a\0b": "cannot be opened",
    }.items():
        assert main(["inspect", path]) == 1
        assert says in capsys.readouterr().err, path


def test_wrong_settings_do_not_matter(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_CONCURRENCY", "many")
    assert say(image_file("PNG")) == ["no marks"]
