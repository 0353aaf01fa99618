"""What the meters count, and under which labels."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import ImageRequest
from bot.telemetry import meters, metrics
from tests.fakes import IMAGE, PROMPT, FakeCheckpoint, FakeImageBackend, eventually
from tests.support.metrics import Counted


@pytest.mark.parametrize(
    ("outcome", "timed"), [("done", 1), ("failed", 1), ("handed_back", 0), ("abandoned", 0)]
)
def test_a_run_counts_by_how_it_ended_and_takes_time_where_it_did(outcome: str, timed: int) -> None:
    counted = Counted()
    meters.count_job("publish", outcome, 0.3)
    assert counted.of("imagine_jobs_total", kind="publish", outcome=outcome) == 1
    assert counted.of("imagine_job_seconds_count", kind="publish") == timed


@pytest.mark.parametrize("kind", ["announcement of a prompt", "", None, ["generate"], 7])
def test_a_job_of_an_unknown_kind_is_other(kind: object) -> None:
    counted = Counted()
    meters.count_job(kind, "failed", 0.3)
    assert counted.of("imagine_jobs_total", kind="other", outcome="failed") == 1


@pytest.mark.parametrize(
    "code", ["<!channel> a prompt", "Not_A_Code", "a" * 51, "", "no-hyphens", "two\nlines", None, 5]
)
def test_what_has_not_the_form_of_a_slack_error_is_other(code: object) -> None:
    counted = Counted()
    meters.count_slack_error("chat.postMessage", code)
    told = counted.changed("imagine_slack_errors_total")
    assert list(told.values()) == [1]
    assert "kind=other" in next(iter(told))


def test_slack_cannot_make_up_more_errors_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(meters, "_slack_codes", set())
    counted = Counted()
    for number in range(1_000):
        meters.count_slack_error("views.publish", f"made_up_{number}")
    told = counted.changed("imagine_slack_errors_total")
    assert len(told) == 101
    assert counted.of("imagine_slack_errors_total", method="views.publish", kind="other") == 900


NAME = "responses"
REQUEST = ImageRequest(PROMPT, 1)


async def generate(backend: FakeImageBackend) -> object:
    with meters.GenerationMeter(NAME).measure():
        return await backend.generate(REQUEST, FakeCheckpoint())


def in_flight() -> float | None:
    return metrics.REGISTRY.get_sample_value("imagine_images_in_flight")


async def test_an_image_is_paid_and_takes_time() -> None:
    counted = Counted()
    assert await generate(FakeImageBackend()) is IMAGE
    assert counted.of("imagine_images_paid_total", backend=NAME) == 1
    assert counted.of("imagine_generation_seconds_count", backend=NAME, outcome="ok") == 1
    assert counted.changed("imagine_provider_errors") == {}


@pytest.mark.parametrize("kind", FailureKind)
async def test_a_failure_counts_by_its_kind_and_is_raised(kind: FailureKind) -> None:
    counted = Counted()
    backend = FakeImageBackend(GenerationError(kind, said=PROMPT))
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
        await generate(FakeImageBackend(ValueError(PROMPT)))
    assert counted.of("imagine_provider_errors_total", kind="internal") == 1
    assert PROMPT not in str(counted.changed("imagine_"))


async def test_what_is_under_way_is_in_flight_and_a_cancelled_one_counts_nowhere_else() -> None:
    counted, inner = Counted(), FakeImageBackend()
    inner.gate = asyncio.Event()
    before = in_flight() or 0.0
    tasks = [asyncio.create_task(generate(inner)) for _ in range(3)]
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
