"""Successful calls of the Responses API."""

import asyncio
import base64
import io

import pytest
from openai import AsyncOpenAI
from PIL import Image

from tests.fake_openai import (
    FakeOpenAI,
    held,
    invalid_base64,
    not_an_image,
    success,
    webp,
)

from .conftest import CALL, TOOL, result, stream, types


async def test_events_come_in_the_documented_order(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    events = await stream(client, tools=[{**TOOL, "partial_images": 2}])
    assert types(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "call.in_progress",
        "call.generating",
        "call.partial_image",
        "call.partial_image",
        "call.completed",
        "output_item.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(10))
    final = events[-1].response
    assert final.id == events[0].response.id == fake.creates[0].response_id
    assert final.tool_usage.image_gen.output_tokens == 433 + 200
    assert fake.paid == fake.paid_for(final.id) == 1


async def test_call_without_stream_has_the_same_image(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    fake.script(success(revised_prompt="a robot, redrawn"))
    response = await client.responses.create(**CALL)
    item = response.output[0]
    assert item.type == "image_generation_call"
    assert item.result
    assert item.status == "generating"
    assert item.revised_prompt == "a robot, redrawn"
    assert base64.b64decode(item.result) == fake.made[0].data
    assert (await client.responses.retrieve(response.id)).output == response.output


async def test_images_differ_and_can_be_made_large(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.image_size_bytes = 2_000_000
    for output_format, kind in [("png", "PNG"), ("webp", "WEBP"), ("jpeg", "JPEG"), ("png", "PNG")]:
        await stream(client, tools=[{**TOOL, "size": "1024x1536", "output_format": output_format}])
        image = Image.open(io.BytesIO(fake.made[-1].data))
        image.load()
        assert (image.format, image.size) == (kind, (64, 96))
        image.close()
    assert [len(made.data) for made in fake.made[:2]] == [
        2_000_000,
        pytest.approx(2_000_000, abs=9),
    ]
    assert len({made.data for made in fake.made}) == 4


async def test_format_and_content_can_be_wrong(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(webp(), invalid_base64(), not_an_image())
    fake.image_bytes = None
    assert base64.b64decode(result(await stream(client)) or "")[8:12] == b"WEBP"
    assert "*" in (result(await stream(client)) or "")
    assert base64.b64decode(result(await stream(client)) or "").startswith(b"<html>")


async def test_fixed_bytes_are_returned_as_they_are(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.image_bytes = b"anything"
    assert result(await stream(client)) == base64.b64encode(b"anything").decode()


@pytest.mark.parametrize(
    ("point", "events", "paid"),
    [("created", 1, 0), ("generating", 5, 0), ("image", 5, 1), ("item_done", 7, 1)],
)
async def test_held_generation_waits_for_release(
    fake: FakeOpenAI, client: AsyncOpenAI, point: str, events: int, paid: int
) -> None:
    fake.script(held(point))  # type: ignore[arg-type]
    call = asyncio.create_task(stream(client))
    await fake.until_held()
    await fake.until(lambda: fake.creates[0].sent == events)
    assert (fake.paid, fake.in_flight, fake.held) == (paid, 1, [point])
    fake.release()
    assert types(await call)[-1] == "completed"
    await fake.until(lambda: fake.in_flight == 0)


async def test_held_request_answers_nothing(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.hold("request")
    call = asyncio.create_task(stream(client))
    await fake.until_held()
    assert fake.creates[0].status is None
    assert not fake.responses
    fake.release()
    assert types(await call)[-1] == "completed"


async def test_parallel_calls_are_counted(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.hold()
    calls = asyncio.gather(*(stream(client) for _ in range(5)))
    await fake.until_held(5)
    fake.release()
    await calls
    assert (fake.max_in_flight, fake.paid) == (5, 5)


async def test_edit_goes_by_previous_response_or_input_image(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    edit = [{**TOOL, "action": "edit"}]
    first = await client.responses.create(**CALL)
    second = await client.responses.create(
        **CALL | {"tools": edit, "previous_response_id": first.id}
    )
    assert getattr(second.output[0], "action", None) == "edit"
    url = "data:image/png;base64," + base64.b64encode(fake.made[0].data).decode()
    content = [
        {"type": "input_text", "text": "friendlier"},
        {"type": "input_image", "image_url": url, "detail": "auto"},
    ]
    await stream(client, input=[{"role": "user", "content": content}], tools=edit)
    assert fake.made[-1].prompt == "friendlier"
