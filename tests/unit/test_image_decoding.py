import base64
import io
import threading

import pytest
from PIL import Image

from bot.adapters.openai import decoding
from bot.adapters.openai.decoding import decode_image
from bot.domain.errors import FailureKind, GenerationError


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

    monkeypatch.setattr(decoding, "_from_base64", spy)
    data = picture("PNG")
    assert (await decode_image(encoded(data))).data == data
    assert threads == [False]
