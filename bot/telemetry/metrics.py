"""Every metric of the program, in a registry of its own.

What happens in a process is counted there, where it happens, and costs some microseconds. A scrape
of `/metrics` reads what has been counted since the process started: nothing is sent anywhere, and
what a process has counted ends with it (Prometheus' `rate` and `increase` know). What several
processes share, the queue and the sessions in Redis, workers read anew at a scrape.

A label holds a fixed word of the program or of Slack's error codes: never what somebody typed, who
it was, which session it is about, or the text of an exception.
"""

from __future__ import annotations

from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from bot.domain.failures import FailureKind
from bot.domain.jobs import JobKind
from bot.domain.limit_settings import LimitKind
from bot.domain.refusals import Reason
from bot.domain.stages import Stage

REGISTRY = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]
"""They would be a second series for each, which nobody asks for."""

REQUEST_KINDS = ("slash_command", "block_action", "view_submission", "shortcut", "event")
REQUEST_OUTCOMES = ("ok", "refused", "unavailable", "unhandled", "error")
JOB_KINDS = tuple(kind.value for kind in JobKind)
JOB_OUTCOMES = ("done", "failed", "put_off", "handed_back", "abandoned")
STORE_ERROR_KINDS = ("timeout", "connection", "refused", "broken")
LIMITS = (*(kind.value for kind in LimitKind), Reason.TOO_MANY_WAITING.value)
"""The limits that refuse images."""
OTHER = "other"
"""Stands for every name that is none of the program's own."""


REQUESTS = Counter(
    "imagine_requests",
    "Requests of people that Slack delivered, by what became of them.",
    ("kind", "name", "outcome"),
    registry=REGISTRY,
)
UNHANDLED = Counter(
    "imagine_unhandled",
    "What Slack delivered and nobody handles, by its type; it is acked all the same.",
    ("type",),
    registry=REGISTRY,
)
ACK_SECONDS = Histogram(
    "imagine_ack_seconds",
    "Seconds from a request's receipt until its ack was sent; Slack waits for 3.",
    ("kind",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3),
    registry=REGISTRY,
)
JOBS = Counter(
    "imagine_jobs",
    "Runs of jobs, by how they ended.",
    ("kind", "outcome"),
    registry=REGISTRY,
)
JOB_SECONDS = Histogram(
    "imagine_job_seconds",
    "Seconds that a run of a job took which came to its end.",
    ("kind",),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 180, 300),
    registry=REGISTRY,
)
GENERATION_SECONDS = Histogram(
    "imagine_generation_seconds",
    "Seconds that the provider took for one image, or to fail.",
    ("backend", "outcome"),
    buckets=(1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180),
    registry=REGISTRY,
)
IMAGES_PAID = Counter(
    "imagine_images_paid",
    "Images that the provider made and this process fetched: they are paid for.",
    ("backend",),
    registry=REGISTRY,
)
IMAGES_IN_FLIGHT = Gauge(
    "imagine_images_in_flight",
    "Images that this process is waiting for.",
    registry=REGISTRY,
)
PROVIDER_ERRORS = Counter(
    "imagine_provider_errors",
    "Generations that brought no image, by the kind of failure; retried ones count each time.",
    ("kind",),
    registry=REGISTRY,
)
SLACK_ERRORS = Counter(
    "imagine_slack_errors",
    "Calls that Slack did not do, by its error code; or busy, unavailable or image_not_ready.",
    ("method", "kind"),
    registry=REGISTRY,
)
STORE_ERRORS = Counter(
    "imagine_store_errors",
    "Calls to Redis, for the store or the queue, that failed after all retries.",
    ("kind",),
    registry=REGISTRY,
)
STAGE_CHANGES = Counter(
    "imagine_stage_changes",
    "Stages that sessions entered.",
    ("stage",),
    registry=REGISTRY,
)
DRAFT_SECONDS = Histogram(
    "imagine_draft_seconds",
    "Seconds from a person's request until its draft was posted.",
    buckets=(2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600),
    registry=REGISTRY,
)
READY = Gauge(
    "imagine_ready",
    "1 while this process takes work, as /readyz says.",
    registry=REGISTRY,
)
SLACK_APP_BLOCKED = Gauge(
    "imagine_slack_shut_out",
    "1 while Slack refuses the whole app, and nothing is generated; told by workers.",
    registry=REGISTRY,
)
STORE_REFUSES = Gauge(
    "imagine_store_refuses_writes",
    "1 while Redis answers and takes no changes, by why: full or read_only; told by workers.",
    ("why",),
    registry=REGISTRY,
)
REDIS_MEMORY = Gauge(
    "imagine_redis_memory_bytes",
    "Memory that Redis uses (used), and its maxmemory (max; 0 for no bound); told by workers.",
    ("kind",),
    registry=REGISTRY,
)
RECORD_UNSEALED_SECONDS = Gauge(
    "imagine_record_unsealed_seconds",
    "Age of the oldest entry of the record without a seal, 0 where all have one; told by workers.",
    registry=REGISTRY,
)
SPENT_DOLLARS = Gauge(
    "imagine_spent_dollars",
    "Dollars of this month in all workspaces, what is held included; told by workers.",
    registry=REGISTRY,
)
BUDGET_USED_RATIO = Gauge(
    "imagine_budget_used_ratio",
    "The largest part that a workspace has used of its budget, 0 without one; told by workers.",
    registry=REGISTRY,
)
HOLDS = Gauge(
    "imagine_holds",
    "Paid calls that are not settled, by age: up to a minute, an hour, older; told by workers.",
    ("age",),
    registry=REGISTRY,
)
LIMIT_REFUSALS = Counter(
    "imagine_limit_refusals",
    "Requests for images that a limit refused, by the limit.",
    ("limit",),
    registry=REGISTRY,
)
APPROVAL_SECONDS = Histogram(
    "imagine_approval_seconds",
    "Seconds from a session's first request until an image of it was approved.",
    buckets=(10, 20, 30, 60, 120, 180, 300, 600, 1800, 3600, 14400, 86400),
    registry=REGISTRY,
)
QUEUE_JOBS = Gauge(
    "imagine_queue_jobs",
    "Jobs in Redis, by queue and state; told by workers.",
    ("queue", "state"),
    registry=REGISTRY,
)
QUEUE_OLDEST_SECONDS = Gauge(
    "imagine_queue_oldest_seconds",
    "Seconds since the next waiting job was queued at first, 0 where none waits; told by workers.",
    ("queue",),
    registry=REGISTRY,
)
SESSIONS = Gauge(
    "imagine_sessions",
    "Sessions in Redis by stage, counted at most once a minute; told by workers.",
    ("stage",),
    registry=REGISTRY,
)


def _start_at_zero() -> None:
    """`increase` sees the first of its kind only where there was a 0 before."""
    for kind, outcome in product(JOB_KINDS, JOB_OUTCOMES):
        JOBS.labels(kind, outcome)
    for request in REQUEST_KINDS:
        ACK_SECONDS.labels(request)
    for failure in FailureKind:
        PROVIDER_ERRORS.labels(failure.value)
    for stage in Stage:
        STAGE_CHANGES.labels(stage.value)
    for limit in LIMITS:
        LIMIT_REFUSALS.labels(limit)
    for trouble in STORE_ERROR_KINDS:
        STORE_ERRORS.labels(trouble)


_start_at_zero()
for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)
