from __future__ import annotations

import asyncio

import pytest

from bot.adapters.measured_backend import MeasuredBackend
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import ImageRequest
from bot.telemetry.metrics import REGISTRY
from tests.fakes import IMAGE, PROMPT, FakeCheckpoint, FakeImageBackend, eventually
from tests.support.metrics import Counted

NAME = "responses"
REQUEST = ImageRequest(PROMPT, 1)


async def generate(backend: MeasuredBackend) -> object:
    return await backend.generate(REQUEST, FakeCheckpoint())


def in_flight() -> float | None:
    return REGISTRY.get_sample_value("imagine_images_in_flight")


async def test_an_image_is_paid_and_takes_time() -> None:
    counted = Counted()
    assert await generate(MeasuredBackend(FakeImageBackend(), NAME)) is IMAGE
    assert counted.of("imagine_images_paid_total", backend=NAME) == 1
    assert counted.of("imagine_generation_seconds_count", backend=NAME, outcome="ok") == 1
    assert counted.changed("imagine_provider_errors") == {}


@pytest.mark.parametrize("kind", FailureKind)
async def test_a_failure_counts_by_its_kind_and_is_raised(kind: FailureKind) -> None:
    counted = Counted()
    backend = MeasuredBackend(FakeImageBackend(GenerationError(kind, said=PROMPT)), NAME)
    with pytest.raises(GenerationError):
        await generate(backend)
    assert counted.changed("imagine_provider_errors") == {
        f"imagine_provider_errors_total kind={kind}": 1
    }
    assert counted.of("imagine_generation_seconds_count", backend=NAME, outcome="failed") == 1
    paid = 1 if kind in {FailureKind.BAD_IMAGE, FailureKind.CUT_IMAGE} else 0
    assert counted.of("imagine_images_paid_total", backend=NAME) == paid


async def test_a_backend_that_breaks_is_internal() -> None:
    counted = Counted()
    with pytest.raises(ValueError, match=PROMPT):
        await generate(MeasuredBackend(FakeImageBackend(ValueError(PROMPT)), NAME))
    assert counted.of("imagine_provider_errors_total", kind="internal") == 1
    assert PROMPT not in str(counted.changed("imagine_"))


async def test_what_is_under_way_is_in_flight_and_a_cancelled_one_counts_nowhere_else() -> None:
    counted, inner = Counted(), FakeImageBackend()
    inner.gate = asyncio.Event()
    backend, before = MeasuredBackend(inner, NAME), in_flight() or 0.0
    tasks = [asyncio.create_task(generate(backend)) for _ in range(3)]
    await eventually(lambda: len(inner.requests) == 3)
    assert in_flight() == before + 3
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    assert in_flight() == before + 2
    inner.gate.set()
    await asyncio.gather(*tasks[1:])
    assert in_flight() == before
    assert counted.of("imagine_images_paid_total", backend=NAME) == 2
    assert counted.of("imagine_generation_seconds_count", backend=NAME, outcome="failed") == 0


async def test_a_cancel_goes_through() -> None:
    inner = FakeImageBackend()
    await MeasuredBackend(inner, NAME).cancel("resp_1")
    assert inner.cancelled == ["resp_1"]
