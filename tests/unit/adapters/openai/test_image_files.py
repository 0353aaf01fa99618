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
from bot.domain.errors import FailureKind, GenerationError
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
        encoded(picture("PNG")[:20]),
        encoded(picture("WEBP")[:40]),
        b"",
        b"GIF89a",
    ],
)
async def test_garbage_is_a_bad_image(garbage: str | bytes) -> None:
    with pytest.raises(GenerationError) as caught:
        await decode_image(garbage)
    assert caught.value.kind is FailureKind.BAD_IMAGE
    assert caught.value.said == ""


async def test_images_are_decoded_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []

    def spy(text: str) -> bytes:
        threads.append(threading.current_thread() is threading.main_thread())
        return base64.b64decode(text)

    monkeypatch.setattr(image_files, "_from_base64", spy)
    data = picture("PNG")
    assert (await decode_image(encoded(data))).data == data
    assert threads == [False]
