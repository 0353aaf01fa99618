from __future__ import annotations

import pytest
from prometheus_client import Metric

from bot.domain.failures import FailureKind
from bot.domain.jobs import JobKind
from bot.domain.stages import Stage
from bot.telemetry import metrics


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
