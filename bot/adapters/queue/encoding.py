"""How a job is written into BullMQ: its queue, its data and its options."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from bot.domain.work import Job, JobKind
from bot.telemetry.context import about
from bot.telemetry.tracing import carrier

PREFIX = "{imagine}"
"""Before every key. One hash tag keeps all keys in one slot, as a cluster requires of scripts."""

GENERATE_QUEUE = "imagine-generate"
PUBLISH_QUEUE = "imagine-publish"
"""Short jobs have a queue of their own, and never wait for a slot behind long generations."""

QUEUE_OF = {
    JobKind.GENERATE: GENERATE_QUEUE,
    JobKind.ANNOUNCE: PUBLISH_QUEUE,
    JobKind.SETTLE: PUBLISH_QUEUE,
    JobKind.FINISH: PUBLISH_QUEUE,
    JobKind.RETIRE: PUBLISH_QUEUE,
}


def job_data(job: Job) -> dict[str, str | int | bool]:
    """With what carries the trace on, where one is being recorded."""
    giving_up = {"gives_up": True} if job.gives_up else {}
    return {
        **carrier(),
        "kind": job.kind.value,
        "session_id": job.session_id,
        "attempt": job.attempt,
        "run": job.run,
        **giving_up,
    }


def job_from_data(data: Mapping[str, Any]) -> Job:
    """Raises `KeyError`, `TypeError` or `ValueError` for data that is no job of ours."""
    return Job(
        JobKind(data["kind"]),
        str(data["session_id"]),
        int(data["attempt"]),
        int(data["run"]),
        data.get("gives_up") is True,
    )


def traceparent_of(data: Mapping[str, Any]) -> str:
    """The trace that the job was queued in; empty where there was none."""
    return str(data.get("traceparent", ""))


def about_job(job_id: str) -> AbstractContextManager[None]:
    """What is logged meanwhile is about this job, and about its session."""
    try:
        job = job_from_id(job_id)
    except ValueError:
        return about(job=job_id)
    return about(job.session_id, attempt=job.attempt, job=job_id)


def job_from_id(job_id: str) -> Job:
    """The job that `Job.id` named so, but for `gives_up`. A session id may hold hyphens of its
    own."""
    kind, rest = job_id.split("-", 1)
    session_id, attempt, run = rest.rsplit("-", 2)
    return Job(JobKind(kind), session_id, int(attempt), int(run))


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
