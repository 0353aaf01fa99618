"""A running fake and the real client pointed at it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.fake_openai import FakeOpenAI

TOOL = {"type": "image_generation", "model": "gpt-image-2.5-flare"}
CALL: dict[str, Any] = {
    "model": "gpt-5.6-luna",
    "input": "a robot eating pizza on Mars",
    "tools": [TOOL],
    "tool_choice": {"type": "image_generation"},
}


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(latency=0.01) as server:
        yield server


@pytest.fixture
async def client(fake: FakeOpenAI) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=fake.base_url, api_key=fake.api_key, max_retries=0) as one:
        yield one


async def stream(client: AsyncOpenAI, **changes: Any) -> list[Any]:
    """Every event of a streamed create call."""
    events: list[Any] = []
    await stream_into(events, client, **changes)
    return events


async def stream_into(events: list[Any], client: AsyncOpenAI, **changes: Any) -> None:
    """The same, keeping what came before an exception."""
    async for event in await client.responses.create(**CALL | {"stream": True} | changes):
        events.append(event)


def types(events: list[Any]) -> list[str]:
    """Event types, without "response." and the call's long name."""
    return [
        event.type.removeprefix("response.").replace("image_generation_call", "call")
        for event in events
    ]


def result(events: list[Any]) -> str | None:
    """The image's base64."""
    done = [event for event in events if event.type == "response.output_item.done"]
    return getattr(done[0].item, "result", None) if done else None
