"""Images come from the servers of the world, whichever of our settings they refuse, and in whatever
words.

Each server is asked over one of the two APIs; `tests/unit/adapters/openai/test_request_variant.py`
reads the refusals of each over both, for every parameter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.openai import ImagesBackend, openai_client
from bot.domain.images import ImageRequest
from bot.domain.options import Options
from tests.fake_openai import SERVERS, FakeOpenAI, Server
from tests.fakes import FakeCheckpoint, FakeRefusedSettings
from tests.integration.responses import REQUEST, Backend, backends, shows

OF_RESPONSES = ["safety_identifier", "store", "partial_images", "quality", "output_format"]
OF_IMAGES = ["safety_identifier", "size", "quality", "output_format"]


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(latency=0.0) as server:
        yield server


@pytest.fixture
async def backend(fake: FakeOpenAI) -> AsyncIterator[Backend]:
    async with backends(fake) as make:
        yield make


@pytest.mark.parametrize("server", SERVERS[::2], ids=lambda server: server.name)
async def test_responses(fake: FakeOpenAI, backend: Backend, server: Server) -> None:
    fake.plays(server, *OF_RESPONSES)
    one = backend(quality="medium")
    for _ in range(2):
        assert shows(await one.generate(REQUEST, FakeCheckpoint()), fake)
    assert len(fake.creates) <= 2 * len(OF_RESPONSES) + 3
    assert not fake.creates[-1].body.keys() & {"safety_identifier", "store", "background"}


@pytest.fixture
async def images(fake: FakeOpenAI) -> AsyncIterator[ImagesBackend]:
    client = openai_client(fake.api_key, fake.base_url)
    backend = ImagesBackend(
        client,
        model="gpt-image-2.5-flare",
        size="1024x1024",
        quality="medium",
        timeout=30,
        refused=FakeRefusedSettings(),
    )
    yield backend
    await backend.close()


@pytest.mark.parametrize("server", SERVERS[1::2], ids=lambda server: server.name)
async def test_images(fake: FakeOpenAI, images: ImagesBackend, server: Server) -> None:
    fake.plays(server, *OF_IMAGES)
    for _ in range(2):
        assert shows(await images.generate(REQUEST, FakeCheckpoint()), fake)
    assert len(fake.creates) <= 2 * len(OF_IMAGES) + 2
    assert fake.creates[-1].body.keys() == {"model", "prompt"}


async def test_one_image_is_asked_for_without_saying_so(
    fake: FakeOpenAI, images: ImagesBackend
) -> None:
    await images.generate(ImageRequest("a robot", options=Options(count=1)), FakeCheckpoint())
    assert "n" not in fake.creates[0].body


async def test_the_models_name_is_given_up_where_the_tool_has_none(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.when(lambda body: "model" in body["tools"][0], SERVERS[0].refuses("tools[0].model"))
    image = await backend().generate(REQUEST, FakeCheckpoint())
    assert shows(image, fake)
    assert image.model == ""


async def test_nothing_is_stored_where_the_server_says_so(
    fake: FakeOpenAI, backend: Backend
) -> None:
    refusal = Server("codex", 400, lambda n, v: {"detail": "Store must be set to false"})
    fake.when(lambda body: body.get("store") is not False, refusal.refuses("store"))
    one = backend()
    for _ in range(2):
        assert shows(await one.generate(REQUEST, FakeCheckpoint()), fake)
    assert [one.body.get("store") for one in fake.creates] == [True, None, False, False]
