"""The Images API."""

import base64
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests import fake_openai as fo
from tests.fake_openai import FakeOpenAI, Outcome

CALL: dict[str, Any] = {"model": "gpt-image-2.5-flare", "prompt": "a robot"}


async def events_of(stream: Any) -> list[Any]:
    return [event async for event in stream]


async def test_generate_makes_n_images(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    answer = await client.images.generate(**CALL, n=3, quality="low")
    assert [base64.b64decode(one.b64_json or "") for one in answer.data or []] == [
        made.data for made in fake.made
    ]
    assert fake.paid == 3
    assert answer.usage
    assert answer.usage.output_tokens == 600


async def test_generate_streams_partial_images(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    events = await events_of(await client.images.generate(**CALL, stream=True, partial_images=2))
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]


@pytest.mark.parametrize("many", [False, True])
async def test_edit_takes_files(fake: FakeOpenAI, client: AsyncOpenAI, many: bool) -> None:
    await client.images.generate(**CALL)
    file = ("draft.png", fake.made[0].data, "image/png")
    await client.images.edit(**CALL, image=[file, file] if many else file, n=1)
    upload = fake.requests[-1].uploads[0]
    assert (upload.field, upload.size) == ("image[]" if many else "image", len(file[1]))
    stream = await client.images.edit(**CALL, image=file, stream=True, partial_images=1)
    assert [event.type for event in await events_of(stream)] == [
        "image_edit.partial_image",
        "image_edit.completed",
    ]
    with pytest.raises(openai.BadRequestError, match="Invalid image file"):
        await client.images.edit(**CALL, image=("draft.png", b"no image", "image/png"))


FAILURES: list[tuple[Outcome, type[openai.APIStatusError], str]] = [
    (fo.moderation_400(), openai.BadRequestError, "moderation_blocked"),
    (fo.refusal_in_words(), openai.BadRequestError, "moderation_blocked"),
    (fo.moderation_stream_error(), openai.BadRequestError, "moderation_blocked"),
    (fo.moderation_failed_item(), openai.BadRequestError, "moderation_blocked"),
    (fo.response_failed(), openai.InternalServerError, "server_error"),
    (fo.incomplete(), openai.InternalServerError, "server_error"),
    (fo.rate_limited(), openai.RateLimitError, "rate_limit_exceeded"),
]


@pytest.mark.parametrize(("outcome", "kind", "code"), FAILURES)
async def test_failures(
    fake: FakeOpenAI,
    client: AsyncOpenAI,
    outcome: Outcome,
    kind: type[openai.APIStatusError],
    code: str,
) -> None:
    fake.script(outcome, outcome)
    with pytest.raises(kind) as caught:
        await client.images.generate(**CALL)
    assert caught.value.code == code
    with pytest.raises(openai.APIError) as raised:
        await events_of(await client.images.generate(**CALL, stream=True))
    assert raised.value.code == code
    assert fake.paid == 0


async def test_empty_and_silent_endings(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.completed_without_anything(), fo.ends_silently(), fo.hang(paid=False))
    assert (await client.images.generate(**CALL)).data == []
    assert await events_of(await client.images.generate(**CALL, stream=True)) == []
    with pytest.raises(openai.APITimeoutError):
        await client.images.generate(**CALL, timeout=0.1)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"n": 11}, "n"),
        ({"n": 0}, "n"),
        ({"size": "1000x1000"}, "size"),
        ({"quality": "hd"}, "quality"),
        ({"response_format": "b64_json"}, "response_format"),
        ({"output_format": "jpeg", "background": "transparent"}, "background"),
        ({"prompt": "x" * 32_001}, "prompt"),
        ({"model": "gpt-5.6-luna"}, "model"),
        ({"extra_body": {"seed": 1}}, "seed"),
    ],
)
async def test_wrong_requests(
    fake: FakeOpenAI, client: AsyncOpenAI, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.images.generate(**CALL | changes)
    assert (caught.value.param, fake.paid) == (param, 0)


async def test_compatible_server_takes_its_own_model(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.models["sd-local"] = {"image": True}
    await client.images.generate(model="sd-local", prompt="x", response_format="b64_json")
    assert fake.paid == 1
