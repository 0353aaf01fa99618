"""`FairShare`: whose image is made next, and how many of one person's are made at once.

Start-time fair queueing by owner: an image gets a tag, a step more than the owner's last one, or
one more than the queue's virtual time, whichever is later; the virtual time is the tag of the job
that began last. A person who asks for sixty images has the tags 1, 5, 9 …; a newcomer stands before
the next of them, and only a few newcomers pass each. The images of an attempt share its tag where
its owner asks for no more than their share, and each still counts as a step for what the owner asks
for next. BullMQ's `priority` is the tag, so it orders what waits; equals keep the order in which
they were released.

    {imagine}:fair            hash: v (the virtual time), base, last:<owner> (the owner's last tag),
                              n (a count of all that was parked or released)
    {imagine}:fair:jobs       hash: job id → its owner, attempt, tag, n, whether it shares its tag
    {imagine}:fair:data       hash: job id → its data, until it has begun
    {imagine}:fair:attempts   hash: attempt → the tag that its jobs share, and how many do
    {imagine}:fair:released   hash: owner → jobs that BullMQ has, waiting or running
    {imagine}:fair:parked:<owner>   list: the owner's jobs that wait for one of these to end

A job is *released* to BullMQ, or *parked* while its owner has as many there as may run at once; a
parked job has no tag yet. The end of a job releases the owner's next. Every step is one script that
may be repeated, and BullMQ refuses an id that it has. Once there is no job, all of it is deleted
and the tags start anew. BullMQ keeps no order above 2²¹, so a priority is the tag less `base`, and
`base` moves on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bot.adapters.queue.fair_scripts import (
    ADMIT,
    BEGAN,
    ENDED,
    RELEASE_NEXT,
    RELEASED,
    RESCALE,
    STEP,
)
from bot.domain.jobs import Job
from bot.domain.session_ids import SessionId

RESCALE_FROM = 2**20
"""The priority from which all start anew: BullMQ keeps no order above 2²¹."""


class Released(NamedTuple):
    """A job for BullMQ: its data as JSON, and its priority."""

    job_id: str
    priority: int
    data: str


class NotReleased(Enum):
    """Why an admitted job is not for BullMQ now: others of its owner's run, or it has ended."""

    PARKED = "parked"
    ENDED = "ended"


class FairJob(NamedTuple):
    """A job as it stands here. `tag` and `priority` are 0 for one that is parked."""

    job_id: str
    owner: str
    tag: int
    priority: int


class FairShare:
    """The fair share of one queue of BullMQ's. `at_once` of one owner's jobs are released at a
    time, without end where it is 0."""

    def __init__(self, redis: Redis, prefix: str, queue: str, at_once: int) -> None:
        self._redis: Any = redis
        self._at_once = at_once
        self._job_key = f"{prefix}:{queue}:"
        fair = f"{prefix}:fair"
        self._keys = [fair, *(f"{fair}:{of}" for of in ("jobs", "attempts", "released", "data"))]
        self._admit: Any = redis.register_script(ADMIT)
        self._began: Any = redis.register_script(BEGAN)
        self._ended: Any = redis.register_script(ENDED)
        self._release_next: Any = redis.register_script(RELEASE_NEXT)
        self._rescale: Any = redis.register_script(RESCALE)

    async def admit(self, job: Job, data: str) -> Released | NotReleased:
        """Release the job, or park it. One that was admitted before is answered the same."""
        attempt = f"{job.session_id}-{job.attempt}"
        args = [job.id, SessionId.parse(job.session_id).owner, attempt, data, self._at_once]
        keys = [*self._keys, self._job_key + job.id]
        outcome, priority = await self._admit(keys=keys, args=args)
        if outcome == RELEASED:
            return Released(job.id, int(priority), data)
        return NotReleased(outcome)

    async def began(self, job_id: str) -> None:
        """A worker has it: the virtual time moves on."""
        await self._began(keys=self._keys, args=[job_id])

    async def ended(self, job_id: str) -> list[Released]:
        """The job is done, has failed for good, or was removed. Answers those of its owner that are
        released now, for BullMQ."""
        released: Any = await self._ended(keys=self._keys, args=[job_id, self._at_once])
        return [Released(*each) for each in released]

    async def has(self, job_id: str) -> bool:
        return bool(await self._redis.hexists(self._keys[1], job_id))

    def read_ids(self, pipeline: Any) -> None:
        """Have the pipeline read the ids of all jobs that are released or parked."""
        pipeline.hkeys(self._keys[1])

    async def release_next(self, owner: str) -> list[Released]:
        """Release parked jobs that may run now: fewer could run at once when they were parked."""
        released: Any = await self._release_next(keys=self._keys, args=[owner, self._at_once])
        return [Released(*each) for each in released]

    def read_jobs(self, pipeline: Any) -> None:
        """Have the pipeline read the two arguments of `in_order`."""
        pipeline.hgetall(self._keys[1])
        pipeline.hgetall(self._keys[0])

    async def jobs(self) -> list[FairJob]:
        """All, in the order in which they would begin."""
        pipeline = self._redis.pipeline(transaction=False)
        self.read_jobs(pipeline)
        return self.in_order(*await pipeline.execute())

    def in_order(
        self, stored: Mapping[str, str], clocks: Mapping[str, str], also: Job | None = None
    ) -> list[FairJob]:
        """The jobs in the order in which they would begin; `also` is one that is about to come."""
        next_of_all, base = int(clocks.get("v", 0)) + 1, int(clocks.get("base", 0))
        found = [(job_id, json.loads(job)) for job_id, job in stored.items()]
        found.sort(key=lambda each: (not each[1]["tag"], each[1].get("n", 0)))
        if also is not None and also.id not in stored:
            found.append((also.id, {"owner": SessionId.parse(also.session_id).owner, "tag": 0}))
        last: dict[str, int] = {}
        placed = []
        for job_id, job in found:
            tag, owner = int(job["tag"]), job["owner"]
            if not tag:
                before = last.get(owner, int(clocks.get(f"last:{owner}", next_of_all - STEP)))
                last[owner] = max(next_of_all, before + STEP)
            place = tag or last[owner]
            priority = max(1, tag - base) if tag else 0
            placed.append((place, FairJob(job_id, owner, tag, priority)))
        return [job for _, job in sorted(placed, key=lambda each: each[0])]

    async def released(self, job: FairJob) -> Released | None:
        """A job that is released and has not begun, once more."""
        data = await self._redis.hget(self._keys[4], job.job_id)
        return Released(job.job_id, job.priority, data) if job.tag and data else None

    async def rescale(self) -> None:
        """Let the priorities of all released jobs start anew; `jobs` has them."""
        await self._rescale(keys=self._keys)
