"""The queues, and how a job is written in BullMQ."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from bot.adapters.queue.cleaning import COMPLETED_FOR, FAILED_FOR
from bot.domain.jobs import Job, JobKind
from bot.telemetry.context import PROPAGATOR, log_context

PREFIX = "{imagine}"
"""Before every key. One hash tag keeps all keys in one slot, as a cluster requires of scripts."""

GENERATE_QUEUE = "imagine-generate"
PUBLISH_QUEUE = "imagine-publish"
"""Short jobs have a queue of their own, and never wait behind long generations."""

QUEUE_OF = {
    JobKind.GENERATE: GENERATE_QUEUE,
    JobKind.ANNOUNCE: PUBLISH_QUEUE,
    JobKind.SHOW_CANCELLED: PUBLISH_QUEUE,
    JobKind.PUBLISH: PUBLISH_QUEUE,
    JobKind.SHOW_DISCARD: PUBLISH_QUEUE,
}


JOB_OPTIONS = {
    "attempts": 3,
    "backoff": {"type": "exponential", "delay": 2_000},
    "removeOnComplete": {"age": COMPLETED_FOR},
    "removeOnFail": {"age": FAILED_FOR},
    "stackTraceLimit": 0,
}
"""Delays are milliseconds, ages are seconds. BullMQ keeps no stack trace, because one could hold
what a user typed."""


def job_data(job: Job) -> dict[str, Any]:
    """The job, and the `traceparent` of the current trace, if there is one."""
    data: dict[str, Any] = {
        "kind": job.kind.value,
        "session_id": job.session_id,
        "attempt": job.attempt,
        "run": job.run,
    }
    if job.gives_up:
        data["gives_up"] = True
    if job.candidate:
        data["candidate"] = job.candidate
    PROPAGATOR.inject(data)
    return data


def job_from_data(data: Mapping[str, Any]) -> Job:
    """Raises `KeyError`, `TypeError` or `ValueError` for data that is no job of ours."""
    return Job(
        JobKind(data["kind"]),
        str(data["session_id"]),
        int(data["attempt"]),
        int(data["run"]),
        data.get("gives_up") is True,
        int(data.get("candidate", 0)),
    )


def job_log_context(job_id: str) -> AbstractContextManager[None]:
    """Log fields of the job, and of its session where the id is one of ours."""
    try:
        job = Job.from_id(job_id)
    except ValueError:
        return log_context(job=job_id)
    return log_context(job.session_id, attempt=job.attempt, candidate=job.candidate, job=job_id)
