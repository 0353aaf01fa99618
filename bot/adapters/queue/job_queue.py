"""`BullJobQueue`: puts jobs into BullMQ and looks at them there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import chain
from typing import Any

from bullmq.queue import Queue
from opentelemetry.trace import SpanKind
from redis.exceptions import RedisError

from bot.adapters.queue.cleaning import clean_queue
from bot.adapters.queue.connection import assume_modern, bullmq_client
from bot.adapters.queue.fair_generations import FairGenerations
from bot.adapters.queue.fair_share import FairShare
from bot.adapters.queue.job_data import (
    GENERATE_QUEUE,
    JOB_OPTIONS,
    PREFIX,
    PUBLISH_QUEUE,
    QUEUE_OF,
    job_data,
    job_log_context,
)
from bot.adapters.queue.job_lists import LIVE, STATES, WAITING, depth, read_ids
from bot.adapters.redis_errors import count_error, unavailable
from bot.concurrency import run_within
from bot.domain.errors import QueueFull, QueueReadOnly, QueueUnavailable, StoreTrouble
from bot.domain.jobs import Job, JobKind
from bot.ports import JobState, QueueDepth
from bot.telemetry.context import span
from bot.work_slots import on_slot_lent

_LOG = logging.getLogger("bot.queue")

Handler = Callable[[Job, bool], Awaitable[None]]
"""Takes the job, and whether an earlier run of it may have got somewhere. An exception counts as a
try, but for `SlackAppBlocked`, and `SlackUnavailable` from a job that gives up: these wait for
Slack for as long as it takes."""

_PATIENCE = 2.5
"""Seconds for each call; left alone, BullMQ would keep trying for half a minute and more."""

_UNAVAILABLE = {
    StoreTrouble.FULL: QueueFull,
    StoreTrouble.READ_ONLY: QueueReadOnly,
}


class BullJobQueue:
    """Implements `bot.ports.JobQueue`. Make it inside a running event loop."""

    def __init__(self, redis_url: str, at_once: int = 0) -> None:
        """`at_once`: generations of one person that run at a time; 0 sets no limit."""
        self._redis = bullmq_client(redis_url)
        self._fair = FairShare(self._redis, PREFIX, GENERATE_QUEUE, at_once)
        make_queue: Any = Queue
        options = {"connection": self._redis, "prefix": PREFIX}
        names = (GENERATE_QUEUE, PUBLISH_QUEUE)
        self._queues = {name: make_queue(name, options) for name in names}
        for queue in self._queues.values():
            assume_modern(queue.redisConnection)
        self._generations = FairGenerations(self._redis, self._fair, self._queues[GENERATE_QUEUE])

    async def add(self, job: Job) -> None:
        """Queue the job, unless the queue has seen its id: even a failed job blocks its id until
        it expires, so that a retry needs a new one. A generation waits for its owner's turn."""
        with job_log_context(job.id), span(f"queue {job.kind}", SpanKind.PRODUCER):
            if job.kind is JobKind.GENERATE:
                await _bounded(self._generations.add(job))
            else:
                options = {**JOB_OPTIONS, "jobId": job.id}
                queue = self._queues[QUEUE_OF[job.kind]]
                await _bounded(queue.add(job.kind.value, job_data(job), options))
            _LOG.info("queued %s", job.id)

    def in_turn(self, handler: Handler) -> Handler:
        """The handler. Once a generation lends its slot, its owner's next one is released: the
        image is there, or the job has ended. The rest of the job waits for Slack, which may take
        minutes where Slack takes no more edits of the status."""

        async def handle(job: Job, repeated: bool) -> None:
            if job.kind is not JobKind.GENERATE:
                return await handler(job, repeated)
            with suppress(QueueUnavailable):
                await _bounded(self._fair.began(job.id))
            ending: asyncio.Task[None] | None = None

            def end() -> None:
                nonlocal ending
                ending = ending or asyncio.create_task(self._end_turn(job.id))

            on_slot_lent(end)
            try:
                await handler(job, repeated)
                end()
            finally:
                if ending is not None:
                    await asyncio.wait({ending})

        return handle

    async def _end_turn(self, job_id: str) -> None:
        with suppress(QueueUnavailable):  # then `repair` does it
            await _bounded(self._generations.end(job_id))

    async def repair(self) -> None:
        await _bounded(self._generations.repair())

    async def remove(self, job: Job) -> None:
        """BullMQ would remove finished jobs as well, and so forget that it has seen their ids; one
        that a worker has taken meanwhile is locked, and stays."""
        await _bounded(self._remove_waiting(job))

    async def _remove_waiting(self, job: Job) -> None:
        queue = self._queues[QUEUE_OF[job.kind]]
        state = STATES.get(await queue.getJobState(job.id))
        if state is JobState.WAITING:
            await queue.backend.remove(job.id, True)
        if state in {JobState.WAITING, None} and job.kind is JobKind.GENERATE:
            await self._generations.end(job.id)

    async def state(self, job: Job) -> JobState:
        queue = self._queues[QUEUE_OF[job.kind]]
        state = STATES.get(await _bounded(queue.getJobState(job.id)), JobState.GONE)
        if state is JobState.GONE and await _bounded(self._fair.has(job.id)):
            return JobState.WAITING
        return state

    async def live_ids(self) -> frozenset[str]:
        pipeline = self._redis.pipeline(transaction=False)
        self._fair.read_ids(pipeline)
        for name in self._queues:
            read_ids(pipeline, name, LIVE)
        return frozenset(chain(*await _bounded(pipeline.execute())))

    async def waiting(self, also: Job | None = None) -> list[Job]:
        """In the order in which they begin: what was handed back comes first, then by their tags,
        those included that wait for another of their owner or for their next try."""
        pipeline = self._redis.pipeline(transaction=False)
        read_ids(pipeline, GENERATE_QUEUE, WAITING)
        self._fair.read_jobs(pipeline)
        wait, prioritized, delayed, stored, clocks = await _bounded(pipeline.execute())
        others = dict.fromkeys([*prioritized, *delayed])
        fair = self._fair.in_order(stored, clocks, also)
        ordered = [job.job_id for job in fair if not job.tag or job.job_id in others]
        all_ids = dict.fromkeys([*reversed(wait), *ordered, *others])
        return [Job.from_id(job_id) for job_id in all_ids]

    async def clean(self) -> int:
        return sum([await _bounded(clean_queue(q, self._redis)) for q in self._queues.values()])

    async def depths(self) -> list[QueueDepth]:
        """How much there is in each queue, and for how long."""
        return [await _bounded(self._depth(queue)) for queue in self._queues.values()]

    async def _depth(self, queue: Any) -> QueueDepth:
        fair = await self._fair.jobs() if queue.name == GENERATE_QUEUE else []
        return await depth(queue, self._redis, parked=sum(not job.tag for job in fair))

    async def close(self) -> None:
        await self._redis.aclose()


async def _bounded(call: Awaitable[Any]) -> Any:
    try:
        return await run_within(_PATIENCE, call)
    except (TimeoutError, RedisError) as error:
        count_error(error)
        kind = _UNAVAILABLE.get(unavailable(error).trouble, QueueUnavailable)
        raise kind(type(error).__name__) from error
