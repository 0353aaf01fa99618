"""What a file becomes: upright, without metadata, no larger than models take it; or why it does
not."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from bot.adapters.pictures import child, decoding
from bot.adapters.pictures.decoding import MAX_PIXELS_SENT, MAX_SIDE_SENT, read_picture, sniff
from bot.domain import images
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import ACCEPTED, MAX_PIXELS, MAX_PIXELS_OF, BaseImage
from tests.support import bombs, heic

KINDS = ["PNG", "JPEG", "WEBP", "GIF", "AVIF"]
SECRET = "52.5200N-Berlin-iPhone"
"""Stands for where and with what a picture was taken."""


def quarters(width: int = 40, height: int = 30) -> Image.Image:
    """Red, green, blue and white, from the upper left on."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def opened(read: BaseImage) -> Image.Image:
    image = Image.open(io.BytesIO(read.data))
    image.load()
    assert image.size == (read.width, read.height)
    assert f"image/{(image.format or '').lower()}" == read.mime_type
    return image


def corners(image: Image.Image) -> list[str]:
    """The colour in each quarter, roughly."""
    names = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 1): "white"}
    at = [(x, y) for y in (1, 3) for x in (1, 3)]
    found = image.convert("RGB")
    pixels: Any = [found.getpixel((image.width * x // 4, image.height * y // 4)) for x, y in at]
    return [names[r > 128, g > 128, b > 128] for r, g, b in pixels]


def refused(data: bytes) -> FailureKind:
    with pytest.raises(GenerationError) as error:
        read_picture(data)
    return error.value.kind


# upright


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(kind: str, orientation: int) -> None:
    """The turns are those of EXIF: 6 has to be turned by 90 degrees clockwise."""
    turned = {
        1: ["red", "lime", "blue", "white"],
        2: ["lime", "red", "white", "blue"],
        3: ["white", "blue", "lime", "red"],
        4: ["blue", "white", "red", "lime"],
        5: ["red", "blue", "lime", "white"],
        6: ["blue", "red", "white", "lime"],
        7: ["white", "lime", "blue", "red"],
        8: ["lime", "white", "red", "blue"],
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = opened(read_picture(saved(quarters(), kind, exif=exif)))
    assert corners(image) == turned[orientation]
    assert image.size == ((40, 30) if orientation < 5 else (30, 40))
    assert dict(image.getexif()) == {}


@pytest.mark.parametrize(("turns", "size"), [(0, (600, 400)), (1, (400, 600)), (3, (400, 600))])
def test_a_phones_heic_is_turned_upright(turns: int, size: tuple[int, int]) -> None:
    assert opened(read_picture(heic.grid(600, 400, quarter_turns=turns))).size == size


@pytest.mark.parametrize("told", [0, 9, 255, 65_535])
def test_an_orientation_that_is_none_turns_nothing(told: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = told
    assert read_picture(saved(quarters(), "JPEG", exif=exif)).width == 40


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"\xff" * 99,
    ],
)
def test_broken_exif_costs_nothing(exif: bytes) -> None:
    assert read_picture(saved(quarters(), "JPEG", exif=exif)).width == 40


# without metadata


def with_metadata(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = exif[0x0110] = SECRET  # maker and model
    exif.get_ifd(0x8825)[29] = SECRET  # the GPS's date
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{SECRET}</x:xmpmeta>".encode()
    more: dict[str, Any] = {"exif": exif}
    if kind in {"JPEG", "WEBP"}:
        more["xmp"] = xmp
    if kind == "JPEG":
        more["comment"] = SECRET
    if kind == "PNG":
        told = PngImagePlugin.PngInfo()
        told.add_text("Comment", SECRET)
        told.add_text("Comment", SECRET, zip=True)
        told.add_itxt("XML:com.adobe.xmp", xmp.decode())
        more["pnginfo"] = told
    if kind == "GIF":
        more = {"comment": SECRET}
    return saved(quarters(), kind, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_where_and_with_what_it_was_taken(kind: str) -> None:
    data = with_metadata(kind)
    assert SECRET.encode() in data
    read = read_picture(data)
    assert SECRET.encode() not in read.data
    image = opened(read)
    assert dict(image.getexif()) == {}
    told = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop", "timestamp", "background"}
    assert set(image.info) - told == set()


def test_what_follows_the_picture_is_left_behind() -> None:
    """A file may be a picture and, read from its end, an archive or a page as well."""
    for kind in KINDS:
        for tail in (b"PK\x03\x04" + SECRET.encode(), f"<script>{SECRET}</script>".encode()):
            read = read_picture(saved(quarters(), kind) + tail)
            assert SECRET.encode() not in read.data


def test_the_colours_of_a_profile_are_kept() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    read = read_picture(saved(quarters(), "JPEG", icc_profile=lab))
    assert corners(opened(read)) == ["red", "lime", "blue", "white"]
    assert b"ICC_PROFILE" not in read.data


@pytest.mark.parametrize("profile", [b"x", b"\0" * 200_000, b"acsp" * 99])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_broken_profile_is_passed_over(kind: str, profile: bytes) -> None:
    read = read_picture(saved(quarters(), kind, icc_profile=profile))
    assert corners(opened(read)) == ["red", "lime", "blue", "white"]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def packed_zeros(megabytes: int) -> bytes:
    """A zlib stream made of one compressed megabyte again and again: to compress them all takes
    each test process most of a second while it collects."""
    compressor = zlib.compressobj(9)
    zeros = bytes(2**20)
    header_and_first = compressor.compress(zeros) + compressor.flush(zlib.Z_FULL_FLUSH)
    one_more = compressor.compress(zeros) + compressor.flush(zlib.Z_FULL_FLUSH)
    deflated_end = b"\x03\x00"
    checksum = (megabytes * 2**20 % 65_521) << 16 | 1  # Adler-32 of zeros
    return b"".join(
        (header_and_first, one_more * (megabytes - 1), deflated_end, struct.pack(">I", checksum))
    )


PACKED = packed_zeros(200)
"""200 MB of nothing, in 200 kB."""
HEAVY = {
    "zTXt": chunk(b"zTXt", b"a\0\0" + PACKED),
    "iTXt": chunk(b"iTXt", b"a\0\x01\0\0\0" + PACKED),
    "iCCP": chunk(b"iCCP", b"a\0\0" + PACKED),
    "long tEXt": chunk(b"tEXt", b"a\0" + b"x" * 5_000_000),
    "many tEXt": chunk(b"tEXt", b"a\0x") * 100_000,
    "long eXIf": chunk(b"eXIf", b"II*\0" + b"\xff" * 5_000_000),
    "broken iCCP": chunk(b"iCCP", b"a\0\0nothing"),
    "iCCP of no name": chunk(b"iCCP", b"x" * 200),
    "sPLT": chunk(b"sPLT", b"a\0\x08" + bytes(6_000_000)),
    "unknown": chunk(b"teSt", bytes(3_000_000)),
}


def test_the_packed_zeros_are_a_whole_stream() -> None:
    assert zlib.decompress(packed_zeros(3)) == bytes(3 * 2**20)
    assert len(PACKED) < 250_000


@pytest.mark.parametrize("name", HEAVY)
def test_metadata_that_unpack_to_much_are_not_unpacked(name: str) -> None:
    data = saved(quarters(), "PNG")
    read = read_picture(data[:33] + HEAVY[name] + data[33:])
    assert corners(opened(read)) == ["red", "lime", "blue", "white"]
    assert len(read.data) < 10_000


# no larger than it is taken


@pytest.mark.parametrize(
    "size", [(400, 300), (300, 400), (800, 40), (390, 2), (200, 200), (384, 216), (1, 900)]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_it_is_scaled_to_what_a_model_takes(
    kind: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of the sides, which takes a hundredth of the time."""
    side, pixels = MAX_SIDE_SENT // 10, MAX_PIXELS_SENT // 100
    monkeypatch.setattr(decoding, "MAX_SIDE_SENT", side)
    monkeypatch.setattr(decoding, "MAX_PIXELS_SENT", pixels)
    read = read_picture(saved(Image.new("RGB", size, "red"), kind))
    assert max(read.width, read.height) <= side
    assert read.width * read.height <= pixels
    if min(size) >= 40:
        assert read.width / read.height == pytest.approx(size[0] / size[1], rel=0.02)
    if max(size) <= side and size[0] * size[1] <= pixels:
        assert (read.width, read.height) == size


def test_the_longest_side_that_a_model_takes_is_that_of_4k() -> None:
    read = read_picture(saved(Image.new("RGB", (3900, 20), "red"), "PNG"))
    assert read.width == 3840


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_it_may_be_tiny(kind: str, size: tuple[int, int]) -> None:
    assert opened(read_picture(saved(Image.new("RGB", size, "red"), kind))).size == size


# every mode


MODES = {
    "1": Image.new("1", (8, 8), 1),
    "L": Image.new("L", (8, 8), 255),
    "LA": Image.new("LA", (8, 8), (255, 255)),
    "P": Image.new("RGB", (8, 8), "white").convert("P"),
    "RGBA": Image.new("RGBA", (8, 8), "white"),
    "I;16": Image.new("I;16", (8, 8), 65_535),
}


@pytest.mark.parametrize("mode", MODES)
def test_what_is_white_stays_white(mode: str) -> None:
    image = opened(read_picture(saved(MODES[mode], "PNG")))
    assert (image.mode, image.getpixel((3, 3))) == ("RGB", (255, 255, 255))


def test_grey_of_sixteen_bits_stays_grey() -> None:
    read = read_picture(saved(Image.new("I;16", (8, 8), 0x8000), "PNG"))
    assert opened(read).getpixel((3, 3)) == (128, 128, 128)


def test_the_colours_of_print_become_those_of_a_screen() -> None:
    read = read_picture(saved(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG"))
    assert opened(read).getpixel((3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_what_is_transparent_stays_so(kind: str) -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 20, 15))
    read = read_picture(saved(image, kind))
    assert (read.mime_type, opened(read).mode) == ("image/png", "RGBA")
    assert opened(read).getpixel((5, 5))[3] < 10  # type: ignore[index]


def test_a_transparent_colour_of_a_palette_stays_so() -> None:
    image = quarters().convert("P")
    for kind in ("PNG", "GIF"):
        read = read_picture(saved(image, kind, transparency=image.getpixel((5, 5))))
        assert opened(read).mode == "RGBA"


@pytest.mark.parametrize("transparent", [True, False])
def test_what_is_long_without_loss_is_compressed(
    monkeypatch: pytest.MonkeyPatch, transparent: bool
) -> None:
    monkeypatch.setattr(decoding, "LONG", 1000)
    noise = Image.effect_noise((100, 100), 80).convert("RGB")
    if transparent:
        noise.putalpha(Image.linear_gradient("L").resize((100, 100)))
    read = read_picture(saved(noise, "PNG"))
    assert read.mime_type == ("image/webp" if transparent else "image/jpeg")
    assert opened(read).size == (100, 100)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_of_a_moving_picture_the_first_frame_counts(kind: str) -> None:
    others = [Image.new("RGB", (40, 30), (n, n, n)) for n in range(60)]
    read = read_picture(saved(quarters(), kind, save_all=True, append_images=others))
    image = opened(read)
    assert corners(image) == ["red", "lime", "blue", "white"]
    assert getattr(image, "n_frames", 1) == 1


def test_of_a_photo_with_others_in_it_the_first_counts() -> None:
    read = read_picture(saved(quarters(), "MPO", save_all=True, append_images=[quarters(20, 20)]))
    assert (read.mime_type, read.width) == ("image/jpeg", 40)


# what is refused


@pytest.mark.parametrize("name", bombs.HEADERS)
def test_the_header_decides_before_anything_is_decoded(name: str) -> None:
    assert refused(bombs.HEADERS[name]) is FailureKind.SOURCE_TOO_MANY_PIXELS


@pytest.mark.parametrize("name", bombs.LIARS)
def test_a_file_that_contradicts_itself_is_read_or_refused(name: str) -> None:
    told, body = child._result(read_picture, bombs.LIARS[name])
    assert bool(body) is not ("failure" in told)
    assert told.get("failure") != FailureKind.SOURCE_TOO_DEMANDING


def test_as_many_pixels_as_may_be_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(bombs.png(10_000, 5_001)) is FailureKind.SOURCE_TOO_MANY_PIXELS
    monkeypatch.setattr(images, "MAX_PIXELS", 50_000)  # those that may be take a second to decode
    assert read_picture(bombs.png(1_000, 50)).width == 1_000
    assert refused(bombs.png(1_000, 51)) is FailureKind.SOURCE_TOO_MANY_PIXELS


@pytest.mark.parametrize(("mime_type", "most"), MAX_PIXELS_OF.items())
def test_some_types_may_have_fewer(
    mime_type: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert most < MAX_PIXELS
    monkeypatch.setitem(MAX_PIXELS_OF, mime_type, 100 * 100)  # to encode as many takes seconds
    kind = mime_type.removeprefix("image/").upper()
    assert read_picture(saved(Image.new("L", (100, 100)), kind)).width == 100
    data = saved(Image.new("L", (101, 100)), kind)
    assert refused(data) is FailureKind.SOURCE_TOO_MANY_PIXELS


NONE_OF_THEM = {
    "nothing": b"",
    "text": b"no picture",
    "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "html": b"<!DOCTYPE html><html></html>",
    "pdf": b"%PDF-1.7 \x89PNG",
    "tiff": saved(quarters(), "TIFF"),
    "bmp": saved(quarters(), "BMP"),
    "ico": saved(quarters(), "ICO"),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
    "jpeg xl": b"\xff\x0a\xfa\x1f",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "photoshop": b"8BPS\0\x01",
    "film": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "film of a phone": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "zip": b"PK\x03\x04\x14\0",
    "wave": b"RIFF\x24\0\0\0WAVEfmt ",
    "a png behind something": b"\n" + saved(quarters(), "PNG"),
}


@pytest.mark.parametrize("name", NONE_OF_THEM)
def test_what_is_none_of_the_types_is_told_apart(name: str) -> None:
    assert refused(NONE_OF_THEM[name]) is FailureKind.SOURCE_TYPE


@pytest.mark.parametrize("kind", [*KINDS, "HEIC"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_half_a_picture_is_none(kind: str, part: float) -> None:
    noise = Image.effect_noise((200, 200), 90)
    data = heic.grid(600, 600) if kind == "HEIC" else saved(noise, kind)
    half = data[: int(len(data) * part)]
    assert sniff(half) == ("image/heic" if kind == "HEIC" else f"image/{kind.lower()}")
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the library raises
        read_picture(half)


def test_a_progressive_jpeg_of_thousands_of_scans_is_not_read() -> None:
    data = bombs.small("JPEG", progressive=True)
    assert read_picture(data).width == 16
    last = data[data.rindex(b"\xff\xda") : -2]
    assert refused(data[:-2] + last * 5000 + data[-2:]) is FailureKind.SOURCE_TOO_DEMANDING


@pytest.mark.parametrize(
    ("brands", "mime_type"),
    [
        (b"heic\0\0\0\0mif1heic", "image/heic"),
        (b"heix\0\0\0\0mif1", "image/heic"),
        (b"mif1\0\0\0\0mif1heic", "image/heic"),
        (b"mif1\0\0\0\0mif1avif", "image/avif"),
        (b"avif\0\0\0\0mif1miaf", "image/avif"),
        (b"avis\0\0\0\0avif", "image/avif"),
        (b"msf1\0\0\0\0hevc", "image/heic"),
        (b"isom\0\0\0\0avc1", None),
        (b"M4A \0\0\0\0", None),
    ],
)
def test_what_phones_make_is_known_by_its_brands(brands: bytes, mime_type: str | None) -> None:
    data = struct.pack(">I", len(brands) + 8) + b"ftyp" + brands
    assert sniff(data) == mime_type


def test_every_type_that_is_taken_can_be_read() -> None:
    found = {sniff(saved(quarters(), kind)) for kind in KINDS} | {sniff(heic.TILE)}
    assert found == set(ACCEPTED)
