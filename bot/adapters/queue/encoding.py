"""How a job is written into BullMQ: its queue, its data and its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.work import Job, JobKind

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
}


def job_data(job: Job) -> dict[str, str | int]:
    return {
        "kind": job.kind.value,
        "session_id": job.session_id,
        "attempt": job.attempt,
        "run": job.run,
    }


def job_from_data(data: Mapping[str, Any]) -> Job:
    """Raises `KeyError`, `TypeError` or `ValueError` for data that is no job of ours."""
    return Job(
        JobKind(data["kind"]), str(data["session_id"]), int(data["attempt"]), int(data["run"])
    )


def job_from_id(job_id: str) -> Job:
    """The job that `Job.id` named so. A session id may hold hyphens of its own."""
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
