"""`FairGenerations`: hands generations to BullMQ in the order of `FairShare`."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from redis.asyncio import Redis

from bot.adapters.queue.fair_share import RESCALE_FROM, FairJob, FairShare, Released
from bot.adapters.queue.job_data import GENERATE_QUEUE, JOB_OPTIONS, PREFIX, job_data
from bot.adapters.queue.job_lists import LIVE, STATES, read_ids
from bot.domain.jobs import Job, JobKind
from bot.ports import JobState

log = logging.getLogger("bot.queue")

_PRIORITY = 2**32
"""BullMQ multiplies a priority by this in the score of a waiting job."""


class FairGenerations:
    """`queue` is BullMQ's queue of generations, and `fair` says which of them it has."""

    def __init__(self, redis: Redis, fair: FairShare, queue: Any) -> None:
        self._redis: Any = redis
        self._fair = fair
        self._queue = queue

    async def add(self, job: Job) -> None:
        """Put the generation into BullMQ, or park it until its owner's turn."""
        data = json.dumps(job_data(job))
        admitted = await self._fair.admit(job, data)
        if isinstance(admitted, Released) and admitted.priority >= RESCALE_FROM:
            await self._start_anew()
            admitted = await self._fair.admit(job, data)
        if isinstance(admitted, Released):
            await self._release(admitted)
        else:
            log.debug("%s is not released: %s", job.id, admitted.value)

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
            await self._queue.backend.changePriority(job_id, priority)

    async def _release(self, *jobs: Released) -> None:
        for job in jobs:
            options = {**JOB_OPTIONS, "jobId": job.job_id, "priority": job.priority}
            data = json.loads(job.data)
            await self._queue.add(JobKind.GENERATE.value, data, options)

    async def end(self, job_id: str) -> None:
        """Put the owner's next generation into BullMQ."""
        await self._release(*await self._fair.ended(job_id))

    async def repair(self) -> None:
        """Do what a killed process left half done: a generation was released and is not in BullMQ,
        or has ended and its owner's next was not released. One that fails for good ends here too.
        One that is just about to be added is added here, which BullMQ takes once."""
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
        state = STATES.get(await self._queue.getJobState(job.job_id))
        if state in {JobState.DONE, JobState.FAILED}:
            await self.end(job.job_id)
        elif state is None:
            if again := await self._fair.released(job):
                await self._release(again)
            else:
                await self.end(job.job_id)
