"""How a job is written into BullMQ: its queue, its data and its options."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from bot.domain.jobs import Job, JobKind
from bot.telemetry.context import log_context
from bot.telemetry.tracing import carrier

PREFIX = "{imagine}"
"""Before every key. One hash tag keeps all keys in one slot, as a cluster requires of scripts."""

GENERATE_QUEUE = "imagine-generate"
PUBLISH_QUEUE = "imagine-publish"
"""Short jobs have a queue of their own, and never wait for a slot behind long generations."""

QUEUE_OF = {
    JobKind.GENERATE: GENERATE_QUEUE,
    JobKind.ANNOUNCE: PUBLISH_QUEUE,
    JobKind.SHOW_CANCELLED: PUBLISH_QUEUE,
    JobKind.PUBLISH: PUBLISH_QUEUE,
    JobKind.RETIRE: PUBLISH_QUEUE,
}


def job_data(job: Job) -> dict[str, str | int | bool]:
    """With what carries the trace on, where one is being recorded."""
    more: dict[str, str | int | bool] = {"gives_up": True} if job.gives_up else {}
    if job.candidate:
        more["candidate"] = job.candidate
    return {
        **carrier(),
        "kind": job.kind.value,
        "session_id": job.session_id,
        "attempt": job.attempt,
        "run": job.run,
        **more,
    }


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


def traceparent_of(data: Mapping[str, Any]) -> str:
    """The trace that the job was queued in; empty where there was none."""
    return str(data.get("traceparent", ""))


def about_job(job_id: str) -> AbstractContextManager[None]:
    """What is logged meanwhile is about this job, and about its session."""
    try:
        job = Job.from_id(job_id)
    except ValueError:
        return log_context(job=job_id)
    return log_context(job.session_id, attempt=job.attempt, candidate=job.candidate, job=job_id)


def job_options(job: Job) -> dict[str, Any]:
    """Delays are milliseconds, ages are seconds.

    A stack trace could hold what a user typed, so that none is kept (`stackTraceLimit`).
    """
    return {
        "jobId": job.id,
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 2_000},
        "removeOnComplete": {"age": 3_600},
        "removeOnFail": {"age": 86_400},
        "stackTraceLimit": 0,
    }
