"""Backends tell of a paid call before they make it, and of none where they need none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.adapters.openai import ImagesBackend, openai_client
from bot.adapters.placeholder import PlaceholderBackend
from bot.domain.errors import PaidCallNotMade
from bot.domain.failures import FailureKind, GenerationError
from bot.ports import ImageBackend
from bot.telemetry.meters import GenerationMeter
from tests.fake_openai import FakeOpenAI
from tests.fakes import FakeCheckpoint
from tests.integration.responses import REQUEST, backends
from tests.support.metrics import Counted


class Counts:
    """Counts the calls; makes none of them where `refuses`. `made` is how many there were then."""

    def __init__(self, fake: FakeOpenAI, *, refuses: bool = False) -> None:
        self.made: list[int] = []
        self._fake = fake
        self._refuses = refuses

    async def __call__(self) -> None:
        self.made.append(len(self._fake.creates))
        if self._refuses:
            raise PaidCallNotMade


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(latency=0.02) as server:
        yield server


@pytest.fixture(params=["responses", "images", "placeholder"])
async def backend(request: pytest.FixtureRequest, fake: FakeOpenAI) -> AsyncIterator[ImageBackend]:
    async with backends(fake) as make:
        if request.param == "responses":
            yield make()
        elif request.param == "images":
            client = openai_client(fake.api_key, fake.base_url)
            yield ImagesBackend(
                client, model="gpt-image-2.5-flare", size="auto", quality="low", timeout=30.0
            )
            await client.close()
        else:
            yield PlaceholderBackend(size="auto", delay=0.0)


async def test_a_call_is_told_of_before_it_is_made(fake: FakeOpenAI, backend: ImageBackend) -> None:
    counts = Counts(fake)
    await backend.generate(REQUEST, FakeCheckpoint(counts))
    assert counts.made == [0]


async def test_a_call_that_must_not_be_made_is_not_and_is_no_failure_of_the_provider(
    fake: FakeOpenAI, backend: ImageBackend
) -> None:
    counted = Counted()
    with pytest.raises(PaidCallNotMade), GenerationMeter("responses").measure():
        await backend.generate(REQUEST, FakeCheckpoint(Counts(fake, refuses=True)))
    assert fake.creates == []
    assert counted.changed("imagine_provider_errors") == {}
    assert counted.changed("imagine_generation_seconds_count") == {}


async def test_a_response_that_is_there_needs_no_call_and_one_that_is_gone_does(
    fake: FakeOpenAI,
) -> None:
    async with backends(fake) as make:
        counts = Counts(fake)
        checkpoint = FakeCheckpoint(counts)
        await make().generate(REQUEST, checkpoint)
        again = replace(REQUEST, response_id=checkpoint.started[0])
        await make().generate(again, checkpoint)
        assert counts.made == [0]
        fake.forget(checkpoint.started[0])
        await make().generate(again, checkpoint)
        assert counts.made == [0, 1]


async def test_waiting_to_be_counted_takes_nothing_from_the_providers_time(
    fake: FakeOpenAI,
) -> None:
    async with backends(fake) as make:

        async def slowly() -> None:
            await asyncio.sleep(0.6)

        await make(timeout=0.5).generate(REQUEST, FakeCheckpoint(slowly))
        fake.hold("generating")
        with pytest.raises(GenerationError) as late:
            await make(timeout=0.2).generate(REQUEST, FakeCheckpoint(slowly))
        assert late.value.kind is FailureKind.TIMED_OUT
        fake.release()
