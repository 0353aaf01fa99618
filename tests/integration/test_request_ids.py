"""Our own name for a request, in the provider's records too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.adapters.openai import ImagesBackend, openai_client
from bot.domain.failures import GenerationError
from bot.domain.images import BaseImage, ImageRequest
from tests.fake_openai import FakeOpenAI, held
from tests.fake_openai.recording import Recorded
from tests.fakes import FakeCheckpoint
from tests.integration.responses import backends
from tests.support.samples import png

ID = "0123456789abcdef0123.2.1"
REQUEST = ImageRequest("a robot eating pizza on Mars", request_id=ID)
EDIT = replace(REQUEST, base=BaseImage(png(), "image/png"), change="at night")


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(latency=0.02) as server:
        yield server


def name_of(request: Recorded) -> str | None:
    return request.headers.get("x-client-request-id")


@pytest.mark.parametrize("request_", [REQUEST, EDIT], ids=["generate", "edit"])
async def test_the_responses_api_is_told(fake: FakeOpenAI, request_: ImageRequest) -> None:
    async with backends(fake) as backend:
        await backend().generate(request_, FakeCheckpoint())
    assert [name_of(create) for create in fake.creates] == [ID]


@pytest.mark.parametrize("request_", [REQUEST, EDIT], ids=["generate", "edit"])
async def test_the_images_api_is_told(fake: FakeOpenAI, request_: ImageRequest) -> None:
    backend = ImagesBackend(
        openai_client(fake.api_key, fake.base_url),
        model="gpt-image-2.5-flare",
        size="1024x1024",
        quality="low",
        timeout=30.0,
    )
    await backend.generate(request_, FakeCheckpoint())
    await backend.close()
    assert [name_of(create) for create in fake.creates] == [ID]


async def test_a_repeated_run_asks_by_the_same_name(fake: FakeOpenAI) -> None:
    """Every call of it, up to the one that calls the response off when the time is up."""
    fake.script(held())
    checkpoint = FakeCheckpoint()
    async with backends(fake) as backend:
        first = backend(timeout=1.0)
        with pytest.raises(GenerationError, match="timed_out"):
            await first.generate(REQUEST, checkpoint)
        again = replace(REQUEST, response_id=checkpoint.started[0])
        await backend().generate(again, checkpoint)
    assert {request.method for request in fake.requests} == {"POST", "GET"}
    assert len(fake.creates) == 2
    assert {name_of(request) for request in fake.requests} == {ID}


@pytest.mark.parametrize("odd", ["", "füchse.1.1", "two\nlines", "x" * 513])
async def test_a_name_that_is_none_does_not_cost_the_image(fake: FakeOpenAI, odd: str) -> None:
    async with backends(fake) as backend:
        await backend().generate(replace(REQUEST, request_id=odd), FakeCheckpoint())
    assert [name_of(create) for create in fake.creates] == [None]
