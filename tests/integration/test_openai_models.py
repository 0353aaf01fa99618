"""What the provider says of a model, against the fake provider."""

from collections.abc import AsyncIterator
from datetime import date

import pytest
from openai import AsyncOpenAI

from bot.adapters.openai import (
    KeyRefused,
    ModelsUnavailable,
    UnknownModel,
    client,
    model_shutdown,
    openai_client,
)
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(checked=False) as server:
        yield server


@pytest.fixture
async def openai(fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncOpenAI]:
    monkeypatch.setattr(client, "FREE_RETRIES", 0)
    async with openai_client(fake.api_key, fake.base_url) as made:
        yield made


async def test_a_model_with_no_end_announced(openai: AsyncOpenAI) -> None:
    assert await model_shutdown(openai, "gpt-image-2.5-flare") is None


@pytest.mark.parametrize("told", ["2026-12-01", 1796083200])
async def test_a_model_that_shuts_down(
    fake: FakeOpenAI, openai: AsyncOpenAI, told: str | int
) -> None:
    fake.models["gpt-image-1.5"] = {"shutdown_date": told}
    assert await model_shutdown(openai, "gpt-image-1.5") == date(2026, 12, 1)


async def test_an_unknown_model(openai: AsyncOpenAI) -> None:
    with pytest.raises(UnknownModel, match="gpt-image-9"):
        await model_shutdown(openai, "gpt-image-9")


@pytest.mark.parametrize("key", ["sk-wrong", "", "sk-\u2013dash"])
async def test_a_wrong_key(fake: FakeOpenAI, key: str) -> None:
    async with openai_client(key, fake.base_url) as made:
        with pytest.raises(KeyRefused):
            await model_shutdown(made, "gpt-image-2.5-flare")


@pytest.mark.parametrize(
    "read", [fakes.server_error(), fakes.connection_dropped(), fakes.org_not_verified()]
)
async def test_a_provider_that_cannot_tell(
    fake: FakeOpenAI, openai: AsyncOpenAI, read: Outcome
) -> None:
    fake.script_reads(read)
    with pytest.raises(ModelsUnavailable):
        await model_shutdown(openai, "gpt-image-2.5-flare")


async def test_spaces_around_a_key_do_no_harm(fake: FakeOpenAI) -> None:
    async with openai_client(f" {fake.api_key}\n", fake.base_url) as made:
        assert await model_shutdown(made, "gpt-image-2.5-flare") is None
