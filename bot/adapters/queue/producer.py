"""`BullJobQueue`: putting jobs into the queue, and looking at them there."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable
from typing import Any

from bullmq.queue import Queue
from redis.exceptions import RedisError

from bot.adapters.queue.connection import assume_modern, bullmq_client
from bot.adapters.queue.encoding import (
    GENERATE_QUEUE,
    PREFIX,
    PUBLISH_QUEUE,
    QUEUE_OF,
    about_job,
    job_data,
    job_options,
)
from bot.adapters.redis_connections import count_error, unavailable
from bot.concurrency import run_within
from bot.domain.errors import QueueFull, QueueReadOnly, QueueUnavailable, StoreTrouble
from bot.domain.jobs import Job
from bot.ports import JobState, QueueDepth
from bot.telemetry.tracing import Kind, span

_LOG = logging.getLogger("bot.queue")

_PATIENCE = 2.5
"""Seconds for each call; left alone, BullMQ would keep trying for half a minute and more."""

_STATES = {
    "waiting": JobState.WAITING,
    "delayed": JobState.WAITING,
    "prioritized": JobState.WAITING,
    "paused": JobState.WAITING,
    "active": JobState.RUNNING,
    "completed": JobState.DONE,
    "failed": JobState.FAILED,
}


class BullJobQueue:
    """Implements `bot.ports.JobQueue`. Make it inside a running event loop."""

    def __init__(self, redis_url: str) -> None:
        self._redis = bullmq_client(redis_url)
        self._queues = {name: self._queue(name) for name in (GENERATE_QUEUE, PUBLISH_QUEUE)}

    def _queue(self, name: str) -> Any:
        make_queue: Any = Queue
        queue = make_queue(name, {"connection": self._redis, "prefix": PREFIX})
        assume_modern(queue.redisConnection)
        return queue

    async def add(self, job: Job) -> None:
        """Queue the job, unless the queue has seen its id: even a failed job blocks its id until
        it expires, so that a retry needs a new one."""
        queue = self._queues[QUEUE_OF[job.kind]]
        with about_job(job.id), span(f"queue {job.kind}", Kind.PRODUCER):
            await _bounded(queue.add(job.kind.value, job_data(job), job_options(job)))
            _LOG.info("queued %s", job.id)

    async def remove(self, job: Job) -> None:
        """BullMQ would remove finished jobs as well, and so forget that it has seen their ids; one
        that a worker has taken meanwhile is locked, and stays."""
        await _bounded(self._remove_waiting(job))

    async def _remove_waiting(self, job: Job) -> None:
        queue = self._queues[QUEUE_OF[job.kind]]
        if _STATES.get(await queue.getJobState(job.id)) is JobState.WAITING:
            await queue.backend.remove(job.id, True)

    async def state(self, job: Job) -> JobState:
        queue = self._queues[QUEUE_OF[job.kind]]
        return _STATES.get(await _bounded(queue.getJobState(job.id)), JobState.GONE)

    async def waiting(self) -> list[Job]:
        """The jobs that wait for another try come last, where they will queue once it is due."""
        backend = self._queues[GENERATE_QUEUE].backend
        ids = await _bounded(backend.getRanges(["wait", "delayed"], 0, -1, True))
        return [Job.from_id(job_id) for job_id in ids]

    async def depths(self) -> list[QueueDepth]:
        """How much there is in each queue, and for how long."""
        depths: list[QueueDepth] = await _bounded(self._depths())
        return depths

    async def _depths(self) -> list[QueueDepth]:
        return [await self._depth(name, queue) for name, queue in self._queues.items()]

    async def _depth(self, name: str, queue: Any) -> QueueDepth:
        counts = await queue.getJobCounts(*_STATES)
        jobs = {
            "waiting": counts["waiting"] + counts["prioritized"] + counts["paused"],
            **{state: counts[state] for state in ("delayed", "active", "failed")},
        }
        return QueueDepth(name.removeprefix("imagine-"), jobs, await self._oldest(name, queue))

    async def _oldest(self, name: str, queue: Any) -> float:
        """Seconds that the next job has been there, by the clocks of two machines."""
        for job_id in await queue.backend.getRanges(["wait"], 0, 0, True):
            queued = await self._redis.hget(f"{PREFIX}:{name}:{job_id}", "timestamp")
            if queued is not None:  # none where a worker has just finished it
                return max(0.0, time.time() - float(queued) / 1000)
        return 0.0

    async def close(self) -> None:
        await self._redis.aclose()


async def _bounded(call: Awaitable[Any]) -> Any:
    try:
        return await run_within(_PATIENCE, call)
    except (TimeoutError, RedisError) as error:
        count_error(error)
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> QueueUnavailable:
    match unavailable(error).trouble:
        case StoreTrouble.FULL:
            return QueueFull(type(error).__name__)
        case StoreTrouble.READ_ONLY:
            return QueueReadOnly(type(error).__name__)
        case StoreTrouble.AWAY:
            return QueueUnavailable(type(error).__name__)
