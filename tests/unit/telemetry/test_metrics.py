from __future__ import annotations

import asyncio

import pytest
from prometheus_client import Metric

from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import ImageRequest
from bot.domain.jobs import JobKind
from bot.domain.stages import Stage
from bot.telemetry import metrics
from tests.fakes import IMAGE, PROMPT, FakeCheckpoint, FakeImageBackend, eventually
from tests.support.metrics import Counted


def ours() -> list[Metric]:
    return [family for family in metrics.REGISTRY.collect() if family.name.startswith("imagine_")]


def test_the_metrics_are_those_that_dashboards_and_alerts_know() -> None:
    assert {(family.name, family.type) for family in ours()} == {
        ("imagine_requests", "counter"),
        ("imagine_ack_seconds", "histogram"),
        ("imagine_jobs", "counter"),
        ("imagine_job_seconds", "histogram"),
        ("imagine_generation_seconds", "histogram"),
        ("imagine_images_paid", "counter"),
        ("imagine_images_in_flight", "gauge"),
        ("imagine_provider_errors", "counter"),
        ("imagine_slack_errors", "counter"),
        ("imagine_unhandled", "counter"),
        ("imagine_slack_shut_out", "gauge"),
        ("imagine_store_errors", "counter"),
        ("imagine_store_refuses_writes", "gauge"),
        ("imagine_redis_memory_bytes", "gauge"),
        ("imagine_stage_changes", "counter"),
        ("imagine_draft_seconds", "histogram"),
        ("imagine_queue_jobs", "gauge"),
        ("imagine_queue_oldest_seconds", "gauge"),
        ("imagine_ready", "gauge"),
        ("imagine_redis_memory_bytes", "gauge"),
        ("imagine_store_refuses_writes", "gauge"),
        ("imagine_record_unsealed_seconds", "gauge"),
        ("imagine_sessions", "gauge"),
        ("imagine_spent_dollars", "gauge"),
        ("imagine_budget_used_ratio", "gauge"),
        ("imagine_holds", "gauge"),
        ("imagine_limit_refusals", "counter"),
        ("imagine_approval_seconds", "histogram"),
    }


@pytest.mark.parametrize("family", ours(), ids=lambda family: str(family.name))
def test_every_metric_says_in_one_line_what_it_is(family: Metric) -> None:
    assert family.documentation.endswith(".")
    assert "\n" not in family.documentation
    assert len(family.documentation) < 100


def test_memory_and_cpu_are_among_them() -> None:
    names = {family.name for family in metrics.REGISTRY.collect()}
    assert {"process_resident_memory_bytes", "process_cpu_seconds", "python_info"} <= names


def test_what_is_known_beforehand_is_there_from_the_start() -> None:
    """Otherwise `increase` would not see the first of its kind."""
    told = {
        (sample.name, *sample.labels.values()) for family in ours() for sample in family.samples
    }
    for kind in FailureKind:
        assert ("imagine_provider_errors_total", kind.value) in told
    for stage in Stage:
        assert ("imagine_stage_changes_total", stage.value) in told
    for job in JobKind:
        assert ("imagine_jobs_total", job.value, "failed") in told


def test_no_series_is_told_twice_over_as_created() -> None:
    names = {sample.name for family in ours() for sample in family.samples}
    assert not [name for name in names if name.endswith("_created")]


@pytest.mark.parametrize(
    ("outcome", "timed"), [("done", 1), ("failed", 1), ("handed_back", 0), ("abandoned", 0)]
)
def test_a_run_counts_by_how_it_ended_and_takes_time_where_it_did(outcome: str, timed: int) -> None:
    counted = Counted()
    metrics.job_ended("publish", outcome, 0.3)
    assert counted.of("imagine_jobs_total", kind="publish", outcome=outcome) == 1
    assert counted.of("imagine_job_seconds_count", kind="publish") == timed


@pytest.mark.parametrize("kind", ["announcement of a prompt", "", None, ["generate"], 7])
def test_a_job_of_an_unknown_kind_is_other(kind: object) -> None:
    counted = Counted()
    metrics.job_ended(kind, "failed", 0.3)
    assert counted.of("imagine_jobs_total", kind="other", outcome="failed") == 1


@pytest.mark.parametrize(
    "code", ["<!channel> a prompt", "Not_A_Code", "a" * 51, "", "no-hyphens", "two\nlines", None, 5]
)
def test_what_has_not_the_form_of_a_slack_error_is_other(code: object) -> None:
    counted = Counted()
    metrics.slack_error("chat.postMessage", code)
    told = counted.changed("imagine_slack_errors_total")
    assert list(told.values()) == [1]
    assert "kind=other" in next(iter(told))


def test_slack_cannot_make_up_more_errors_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "_slack_codes", set())
    counted = Counted()
    for number in range(1_000):
        metrics.slack_error("views.publish", f"made_up_{number}")
    told = counted.changed("imagine_slack_errors_total")
    assert len(told) == 101
    assert counted.of("imagine_slack_errors_total", method="views.publish", kind="other") == 900


# what is measured of a generation

NAME = "responses"
REQUEST = ImageRequest(PROMPT, 1)


async def generate(backend: FakeImageBackend) -> object:
    with metrics.GenerationMeter(NAME).measure():
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
