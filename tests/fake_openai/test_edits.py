"""Edits: what the fake takes, what it remembers, how tests look at it."""

import asyncio
import base64
import io
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from PIL import Image

from tests import fake_openai as fo
from tests.fake_openai import FakeOpenAI

from .conftest import CALL, TOOL, stream

EDIT = {**TOOL, "action": "edit"}
FILE_CALL: dict[str, Any] = {"model": "gpt-image-2.5-flare", "prompt": "at night"}


def picture(image_format: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, image_format)
    return out.getvalue()


def shown(data: bytes, mime_type: str = "image/png") -> list[Any]:
    url = f"data:{mime_type};base64,{base64.b64encode(data).decode()}"
    parts = [
        {"type": "input_text", "text": "at night"},
        {"type": "input_image", "image_url": url, "detail": "auto"},
    ]
    return [{"role": "user", "content": parts}]


async def test_edits_can_be_looked_at(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    data = picture()
    await stream(client)
    await stream(client, input=shown(data), tools=[EDIT])
    await client.images.edit(**FILE_CALL, image=("x.png", data, "image/png"))
    assert [one.text for one in fake.edits] == ["at night", "at night"]
    assert [one.images for one in fake.edits] == [[data], [data]]
    assert fake.edits[0].tool["action"] == "edit"
    assert fake.creates[0].images == []


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (picture(), "image/jpeg"),
        (picture("BMP"), "image/bmp"),
        (b"GIF89a", "image/gif"),
        (picture()[:40], "image/png"),
    ],
)
async def test_an_image_has_to_be_what_it_says(
    fake: FakeOpenAI, client: AsyncOpenAI, data: bytes, mime_type: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await stream(client, input=shown(data, mime_type), tools=[EDIT])
    assert caught.value.param == "input[0].content[1].image_url"
    assert fake.paid == 0


@pytest.mark.parametrize(
    "file",
    [
        ("image", picture(), "application/octet-stream"),
        ("image.png", picture(), "image/jpeg"),
        ("image.gif", picture("GIF"), "image/gif"),
        ("image.png", picture("JPEG"), "image/png"),
        ("image.png", picture()[:40], "image/png"),
    ],
)
async def test_a_file_has_to_be_what_it_says(
    fake: FakeOpenAI, client: AsyncOpenAI, file: tuple[str, bytes, str]
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.images.edit(**FILE_CALL, image=file)
    assert caught.value.param == "image"
    assert fake.paid == 0


async def test_everything_finished_can_be_forgotten(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    first = await client.responses.create(**CALL)
    fake.script(fo.held())
    running = asyncio.create_task(stream(client, background=True))
    await fake.until_held()
    fake.forget_responses()
    with pytest.raises(openai.BadRequestError):
        await stream(client, previous_response_id=first.id)
    fake.release()
    events = await running
    await stream(client, previous_response_id=events[-1].response.id, tools=[EDIT])


async def test_what_was_called_off_can_be_looked_at(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.held())
    running = asyncio.create_task(stream(client, background=True))
    await fake.until_held()
    response_id = fake.creates[0].response_id or ""
    fake.script_cancels(fo.server_error())
    with pytest.raises(openai.InternalServerError):
        await client.responses.cancel(response_id)
    assert fake.cancelled == []
    await client.responses.cancel(response_id)
    assert fake.cancelled == [response_id]
    await running


async def test_transparent_images_have_nothing_on_their_right(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    await stream(client, tools=[{**TOOL, "background": "transparent"}])
    await client.images.generate(**FILE_CALL, background="transparent", output_format="webp")
    for made in fake.made:
        with Image.open(io.BytesIO(made.data)) as image:
            alpha = image.convert("RGBA").getchannel("A")
            assert (alpha.getpixel((0, 0)), alpha.getpixel((63, 63))) == (255, 0)


async def test_calls_side_by_side_meet_the_script_in_their_order(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    fake.script(fo.success(), fo.moderation_400(), fo.success())
    came = await asyncio.gather(*(stream(client) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(one, openai.BadRequestError) for one in came) == 1
    assert [one.outcome for one in fake.creates].count("success") == 2


async def test_an_unknown_parameter_is_named(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.when(lambda body: "quality" in body["tools"][0], fo.unknown_parameter("tools[0].quality"))
    with pytest.raises(openai.BadRequestError, match="Unknown parameter"):
        await stream(client, tools=[{**TOOL, "quality": "low"}])
    await stream(client)
