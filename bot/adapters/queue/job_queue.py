"""`BullJobQueue`: puts jobs into BullMQ and looks at them there."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from bullmq.queue import Queue
from opentelemetry.trace import SpanKind
from redis.exceptions import RedisError

from bot.adapters.queue.cleaning import COMPLETED_FOR, FAILED_FOR, clean_queue
from bot.adapters.queue.connection import assume_modern, bullmq_client
from bot.adapters.queue.fair_share import RESCALE_FROM, FairJob, FairShare, Released
from bot.adapters.queue.job_data import (
    GENERATE_QUEUE,
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

_OPTIONS = {
    "attempts": 3,
    "backoff": {"type": "exponential", "delay": 2_000},
    "removeOnComplete": {"age": COMPLETED_FOR},
    "removeOnFail": {"age": FAILED_FOR},
    "stackTraceLimit": 0,
}
"""Delays are milliseconds, ages are seconds. BullMQ keeps no stack trace, because one could hold
what a user typed."""

_PRIORITY = 2**32
"""BullMQ multiplies a priority by this in the score of a waiting job."""

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

    async def add(self, job: Job) -> None:
        """Queue the job, unless the queue has seen its id: even a failed job blocks its id until
        it expires, so that a retry needs a new one. A generation waits for its owner's turn."""
        with job_log_context(job.id), span(f"queue {job.kind}", SpanKind.PRODUCER):
            if job.kind is JobKind.GENERATE:
                await _bounded(self._add_generation(job))
            else:
                options = {**_OPTIONS, "jobId": job.id}
                queue = self._queues[QUEUE_OF[job.kind]]
                await _bounded(queue.add(job.kind.value, job_data(job), options))
            _LOG.info("queued %s", job.id)

    async def _add_generation(self, job: Job) -> None:
        data = json.dumps(job_data(job))
        admitted = await self._fair.admit(job, data)
        if isinstance(admitted, Released) and admitted.priority >= RESCALE_FROM:
            await self._start_anew()
            admitted = await self._fair.admit(job, data)
        if isinstance(admitted, Released):
            await self._release(admitted)
        else:
            _LOG.debug("%s is not released: %s", job.id, admitted.value)

    async def _start_anew(self) -> None:
        await self._fair.rescale()
        await self._reorder(await self._fair.jobs())

    async def _reorder(self, jobs: list[FairJob]) -> None:
        """Give each waiting generation the priority that it has since all started anew."""
        priorities = {job.job_id: job.priority for job in jobs if job.priority != job.tag}
        key = f"{PREFIX}:{GENERATE_QUEUE}:prioritized"
        waiting: Any = await self._redis.zrange(key, 0, -1, withscores=True) if priorities else []
        for job_id, score in waiting:
            if priorities.get(job_id, score // _PRIORITY) != score // _PRIORITY:
                await self._change_priority(job_id, priorities[job_id])

    async def _reorder_retries(self, ids: Iterable[str], jobs: list[FairJob]) -> None:
        """Jobs that wait for another try have their priorities from before all started anew. One
        whose turn has ended, because its image is there, goes before all others."""
        priorities, ids = {job.job_id: job.priority for job in jobs}, list(ids)
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in ids:
            pipeline.hget(f"{PREFIX}:{GENERATE_QUEUE}:{job_id}", "priority")
        for job_id, now in zip(ids, await pipeline.execute() if ids else (), strict=True):
            priority = priorities.get(job_id, 1)
            if priority and int(now or 0) not in {0, priority}:
                await self._change_priority(job_id, priority)

    async def _change_priority(self, job_id: str, priority: int) -> None:
        with suppress(Exception):  # one that has just begun
            await self._queues[GENERATE_QUEUE].backend.changePriority(job_id, priority)

    async def _release(self, *jobs: Released) -> None:
        for job in jobs:
            options = {**_OPTIONS, "jobId": job.job_id, "priority": job.priority}
            data = json.loads(job.data)
            await self._queues[GENERATE_QUEUE].add(JobKind.GENERATE.value, data, options)

    def in_turn(self, handler: Handler) -> Handler:
        """The handler, and the next of its owner once a generation lends its slot: its image is
        there, or it has ended. What is left to do then waits for Slack, for minutes where it takes
        no more edits of the status."""

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
            await _bounded(self._end(job_id))

    async def _end(self, job_id: str) -> None:
        await self._release(*await self._fair.ended(job_id))

    async def repair(self) -> None:
        await _bounded(self._repair())

    async def _repair(self) -> None:
        """What a killed process left half done: a generation was released and is not in BullMQ, or
        has ended and its owner's next was not released. One that fails for good ends here too. One
        that is just about to be added is added here, which BullMQ takes once."""
        pipeline = self._redis.pipeline(transaction=False)
        read_ids(pipeline, GENERATE_QUEUE, LIVE)
        self._fair.read_jobs(pipeline)
        *ids, stored, clocks = await pipeline.execute()
        live, jobs = set(chain(*ids)), self._fair.in_order(stored, clocks)
        of_state = dict(zip(LIVE, ids, strict=True))
        retried = [*of_state["delayed"], *(j for j in of_state["prioritized"] if j not in stored)]
        parked = set()
        for job in jobs:
            if not job.tag:
                parked.add(job.owner)
            elif job.job_id not in live:
                await self._repair_job(job)
        for owner in parked:
            await self._release(*await self._fair.release_next(owner))
        await self._reorder(jobs)
        await self._reorder_retries(retried, jobs)
        if max((job.priority for job in jobs), default=0) >= RESCALE_FROM:
            await self._start_anew()

    async def _repair_job(self, job: FairJob) -> None:
        state = STATES.get(await self._queues[GENERATE_QUEUE].getJobState(job.job_id))
        if state in {JobState.DONE, JobState.FAILED}:
            await self._end(job.job_id)
        elif state is None:
            if again := await self._fair.released(job):
                await self._release(again)
            else:
                await self._end(job.job_id)

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
            await self._end(job.id)

    async def state(self, job: Job) -> JobState:
        queue = self._queues[QUEUE_OF[job.kind]]
        state = STATES.get(await _bounded(queue.getJobState(job.id)), JobState.GONE)
        if state is JobState.GONE and await _bounded(self._fair.is_here(job.id)):
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
