import base64
import hashlib
import io
import re
import struct
import threading
import zlib
from typing import Any

import pytest
from PIL import Image

from bot.adapters.openai import image_files
from bot.adapters.openai.image_files import decode_image
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import xmp_of


def picture(image_format: str, mode: str = "RGB", size: tuple[int, int] = (6, 4)) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, image_format)
    return out.getvalue()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("image_format", "mime_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif")],
)
async def test_keeps_what_can_be_shown_as_it_is(image_format: str, mime_type: str) -> None:
    data = picture(image_format)
    image = await decode_image(encoded(data), response_id="resp_1", revised_prompt="a robot")
    assert (image.data, image.mime_type) == (data, mime_type)
    assert (image.width, image.height) == (6, 4)
    assert (image.response_id, image.revised_prompt) == ("resp_1", "a robot")


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [("WEBP", "RGB"), ("WEBP", "RGBA"), ("BMP", "RGB"), ("TIFF", "CMYK"), ("TIFF", "L")],
)
async def test_turns_the_rest_into_png(image_format: str, mode: str) -> None:
    image = await decode_image(picture(image_format, mode))
    with Image.open(io.BytesIO(image.data)) as png:
        png.load()
        assert (png.format, png.size) == ("PNG", (6, 4))
        assert png.mode == ("RGBA" if mode == "RGBA" else "RGB")
    assert image.mime_type == "image/png"


def source_type(data: bytes) -> str:
    """The last word of the IPTC source type in a PNG's XMP."""
    with Image.open(io.BytesIO(data)) as png:
        png.load()
        xmp: str = png.text["XML:com.adobe.xmp"]  # type: ignore[attr-defined]
    (found,) = re.findall(r"<Iptc4xmpExt:DigitalSourceType>(\S+?)</Iptc4xmpExt", xmp)
    return str(found).removeprefix("http://cv.iptc.org/newscodes/digitalsourcetype/")


@pytest.mark.parametrize("image_format", ["WEBP", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("from_picture", "said"),
    [(False, "trainedAlgorithmicMedia"), (True, "compositeWithTrainedAlgorithmicMedia")],
)
async def test_what_is_converted_is_marked_for_machines(
    image_format: str, from_picture: bool, said: str
) -> None:
    image = await decode_image(picture(image_format), from_picture=from_picture)
    assert source_type(image.data) == said


XMP = xmp_of(from_picture=True).encode()


@pytest.mark.parametrize(
    ("image_format", "options"), [("WEBP", {"xmp": XMP}), ("TIFF", {"tiffinfo": {700: XMP}})]
)
async def test_a_mark_that_came_along_is_kept(image_format: str, options: dict[str, Any]) -> None:
    out = io.BytesIO()
    Image.new("RGB", (6, 4)).save(out, image_format, **options)
    image = await decode_image(out.getvalue())
    assert source_type(image.data) == "compositeWithTrainedAlgorithmicMedia"


@pytest.mark.parametrize("from_picture", [True, False])
async def test_a_signed_image_stays_signed(from_picture: bool) -> None:
    """C2PA is in a chunk `caBX`; whatever is changed in the file breaks its signature."""
    data = with_chunk(picture("PNG"), b"caBX", b"jumb credentials")
    image = await decode_image(encoded(data), from_picture=from_picture, model="a\nmodel")
    assert hashlib.sha256(image.data).digest() == hashlib.sha256(data).digest()
    assert image.model == "a model"


def with_chunk(png: bytes, name: bytes, content: bytes) -> bytes:
    """The file with another chunk after its header."""
    chunk = name + content
    framed = struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:33] + framed + png[33:]


async def test_takes_a_data_url_and_broken_lines() -> None:
    data = picture("PNG")
    text = encoded(data)
    assert (await decode_image("data:image/png;base64," + text)).data == data
    assert (await decode_image(f"{text[:20]}\n{text[20:]}\r\n")).data == data


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "this is not *base64*!",
        "é",
        encoded(b"<html>no image here</html>"),
        encoded(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        encoded(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        encoded(picture("PPM")),
        b"",
        b"GIF",
    ],
)
async def test_garbage_is_a_bad_image(garbage: str | bytes) -> None:
    with pytest.raises(GenerationError) as caught:
        await decode_image(garbage)
    assert caught.value.kind is FailureKind.BAD_IMAGE
    assert caught.value.said == ""


def noise(image_format: str, **options: Any) -> bytes:
    """A picture of which every part counts."""
    out = io.BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(out, image_format, **options)
    return out.getvalue()


WHOLE: dict[str, bytes] = {
    "PNG": noise("PNG"),
    "interlaced PNG": noise("PNG", interlace=True),
    "PNG with a palette": picture("PNG", "P"),
    "black and white PNG": picture("PNG", "1"),
    "PNG of 16 bits": picture("PNG", "I;16"),
    "PNG with transparency": picture("PNG", "RGBA"),
    "JPEG": noise("JPEG"),
    "progressive JPEG": noise("JPEG", progressive=True),
    "GIF": noise("GIF"),
    "WebP": noise("WEBP"),
    "lossless WebP": noise("WEBP", lossless=True),
}
CHECKED = [name for name in WHOLE if "WebP" not in name]


@pytest.mark.parametrize("name", WHOLE)
async def test_a_whole_image_passes(name: str) -> None:
    assert (await decode_image(encoded(WHOLE[name]))).width in {6, 64}


async def test_a_gif_that_moves_passes() -> None:
    out = io.BytesIO()
    frames = [Image.new("P", (8, 8), color) for color in range(4)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], comment=b"hello")
    assert (await decode_image(out.getvalue())).data == out.getvalue()


@pytest.mark.parametrize("part", [0.05, 0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", WHOLE)
async def test_a_part_of_an_image_is_refused(name: str, part: float) -> None:
    data = WHOLE[name]
    cut = data[: max(12, int(len(data) * part))]
    for sent in (cut, encoded(cut)):
        with pytest.raises(GenerationError) as caught:
            await decode_image(sent)
        assert caught.value.kind is FailureKind.CUT_IMAGE
        assert caught.value.retryable


@pytest.mark.parametrize("name", [*CHECKED, "WebP"])
async def test_an_image_without_its_last_bytes_is_refused(name: str) -> None:
    for missing in (1, 2, 5):
        with pytest.raises(GenerationError) as caught:
            await decode_image(WHOLE[name][:-missing])
        assert caught.value.kind is FailureKind.CUT_IMAGE


@pytest.mark.parametrize("missing", [1, 2, 3, 5, 1001])
async def test_base64_that_is_cut_is_refused_as_a_part(missing: int) -> None:
    with pytest.raises(GenerationError) as caught:
        await decode_image(encoded(WHOLE["PNG"]).rstrip("=")[:-missing])
    assert caught.value.kind is FailureKind.CUT_IMAGE


@pytest.mark.parametrize("at", [40, 200, 1000, -20])
async def test_a_png_with_a_changed_byte_is_refused(at: int) -> None:
    data = bytearray(WHOLE["PNG"])
    data[at] ^= 1
    with pytest.raises(GenerationError) as caught:
        await decode_image(bytes(data))
    assert caught.value.kind is FailureKind.CUT_IMAGE


def png_of(size: tuple[int, int], pixels: bytes) -> bytes:
    """A PNG with these compressed pixels and right checksums."""

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    "pixels",
    [
        zlib.compress(bytes(3 * 8 * 4)),
        zlib.compress(bytes(10_000_000), 1),
        zlib.compress(bytes(25 * 8))[:-5],
        b"none",
        b"",
    ],
    ids=["too few", "a bomb", "no checksum", "no pixels", "empty"],
)
async def test_pixels_are_those_that_the_header_tells(pixels: bytes) -> None:
    assert (await decode_image(png_of((8, 8), zlib.compress(bytes(25 * 8))))).width == 8
    with pytest.raises(GenerationError) as caught:
        await decode_image(png_of((8, 8), pixels))
    assert caught.value.kind is FailureKind.CUT_IMAGE


async def test_an_image_of_too_many_pixels_or_bytes_is_refused_by_its_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(GenerationError) as caught:
        await decode_image(png_of((60_000, 60_000), b""))
    assert caught.value.kind is FailureKind.BAD_IMAGE
    monkeypatch.setattr(image_files, "LARGEST_IMAGE", 1000)
    with pytest.raises(GenerationError) as caught:
        await decode_image(WHOLE["PNG"])
    assert caught.value.kind is FailureKind.BAD_IMAGE


async def test_missing_padding_is_made_good() -> None:
    data = picture("PNG") + b"\0"
    text = encoded(data).rstrip("=")
    assert len(text) % 4
    assert (await decode_image(text)).data == data


async def test_images_are_decoded_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []

    def spy(text: str) -> bytes:
        threads.append(threading.current_thread() is threading.main_thread())
        return base64.b64decode(text)

    monkeypatch.setattr(image_files, "_from_base64", spy)
    data = picture("PNG")
    assert (await decode_image(encoded(data))).data == data
    assert threads == [False]
