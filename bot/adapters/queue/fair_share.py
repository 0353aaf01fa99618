"""`FairShare`: whose image is made next, and how many of one person's are made at once.

Start-time fair queueing by owner: an image gets a tag, a step more than the owner's last one, or
one more than the queue's virtual time, whichever is later; the virtual time is the tag of the job
that began last. Who asks for sixty images has the tags 1, 5, 9 …; who comes then stands before the
next of them, and only a few newcomers pass each. The images of an attempt share its tag where its
owner asks for no more than their share, and each still counts as a step for what the owner asks
for next. BullMQ's `priority` is the tag, so it orders what waits; equals keep their order of
coming.

    {imagine}:fair            hash: v (the virtual time), base, last:<owner> (the owner's last tag)
    {imagine}:fair:jobs       hash: job id → its owner, attempt, tag, time of coming, shares
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
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bot.domain.jobs import Job

RESCALE_FROM = 2**20
"""The priority from which all start anew: BullMQ keeps no order above 2²¹."""
_STEP = 4
"""Between two tags of one owner: so many newcomers may pass before the next of them."""

_COMMON = (
    f"local STEP = {_STEP}"
    + """
local fair, jobs, attempts, released, data = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local function number(key, field) return tonumber(redis.call('HGET', key, field) or 0) end
local function parked_of(owner) return fair .. ':parked:' .. owner end
local function release(id, job)
  local field, v = 'last:' .. job.owner, number(fair, 'v')
  local last = tonumber(redis.call('HGET', fair, field)) or v + 1 - STEP
  local shared = redis.call('HGET', attempts, job.attempt)
  shared = shared and cjson.decode(shared)
  local tag = shared and shared.tag or math.max(v + 1, last + STEP)
  job.shares = shared or last + STEP <= v + 1
  if job.shares then
    local n = shared and shared.n or 0
    redis.call('HSET', attempts, job.attempt, cjson.encode({tag = tag, n = n + 1}))
  end
  job.shares, job.tag = job.shares and true or nil, tag
  redis.call('HSET', fair, field, math.max(last, tag - STEP) + STEP)
  redis.call('HINCRBY', released, job.owner, 1)
  redis.call('HSET', jobs, id, cjson.encode(job))
  return {id, math.max(1, tag - number(fair, 'base')), redis.call('HGET', data, id)}
end
local function release_next(owner, most)
  local out = {}
  while most == 0 or number(released, owner) < most do
    local id = redis.call('LPOP', parked_of(owner))
    if not id then break end
    local job = redis.call('HGET', jobs, id)
    if job then out[#out + 1] = release(id, cjson.decode(job)) end
  end
  return out
end
"""
)

_ADMIT = (
    _COMMON
    + """
-- KEYS[6]: the job in BullMQ, which keeps the ids of jobs that have ended
-- ARGV: job id, owner, attempt, data, now (ms), most released jobs of an owner (0: no limit)
-- Answers the priority; 0 for a job that is parked, -1 for one that has ended.
local id, owner, most = ARGV[1], ARGV[2], tonumber(ARGV[6])
local known = redis.call('HGET', jobs, id)
if known then
  local job = cjson.decode(known)
  return job.tag == 0 and 0 or math.max(1, job.tag - number(fair, 'base'))
end
if redis.call('EXISTS', KEYS[6]) == 1 then return -1 end
local job = {owner = owner, attempt = ARGV[3], came = tonumber(ARGV[5]), tag = 0}
redis.call('HSET', data, id, ARGV[4])
local full = most > 0 and number(released, owner) >= most
if full or redis.call('EXISTS', parked_of(owner)) == 1 then
  redis.call('HSET', jobs, id, cjson.encode(job))
  redis.call('RPUSH', parked_of(owner), id)
  return 0
end
return release(id, job)[2]
"""
)

_BEGAN = (
    _COMMON
    + """
-- ARGV: job id
local known = redis.call('HGET', jobs, ARGV[1])
if known then
  redis.call('HSET', fair, 'v', math.max(number(fair, 'v'), cjson.decode(known).tag))
  redis.call('HDEL', data, ARGV[1])
end
return 0
"""
)

_ENDED = (
    _COMMON
    + """
-- ARGV: job id, most released jobs of an owner (0: no limit)
-- Answers what is released now: id, priority and data of each.
local id = ARGV[1]
local known = redis.call('HGET', jobs, id)
if not known then return {} end
local job = cjson.decode(known)
redis.call('HDEL', jobs, id)
redis.call('HDEL', data, id)
if job.tag == 0 then
  redis.call('LREM', parked_of(job.owner), 1, id)
elseif redis.call('HINCRBY', released, job.owner, -1) <= 0 then
  redis.call('HDEL', released, job.owner)
end
local attempt = job.shares and redis.call('HGET', attempts, job.attempt)
if attempt then
  attempt = cjson.decode(attempt)
  if attempt.n <= 1 then
    redis.call('HDEL', attempts, job.attempt)
  else
    redis.call('HSET', attempts, job.attempt, cjson.encode({tag = attempt.tag, n = attempt.n - 1}))
  end
end
local out = release_next(job.owner, tonumber(ARGV[2]))
local last = 'last:' .. job.owner
if number(released, job.owner) == 0 and number(fair, last) <= number(fair, 'v') then
  redis.call('HDEL', fair, last)
end
if redis.call('HLEN', jobs) == 0 then redis.call('DEL', fair, attempts, released, data) end
return out
"""
)

_RELEASE_NEXT = (
    _COMMON
    + """
-- ARGV: owner, most released jobs of an owner (0: no limit)
return release_next(ARGV[1], tonumber(ARGV[2]))
"""
)

_RESCALE = (
    _COMMON
    + """
redis.call('HSET', fair, 'base', number(fair, 'v'))
return 0
"""
)


class Released(NamedTuple):
    """A job for BullMQ: its data as JSON, and its priority."""

    job_id: str
    priority: int
    data: str


class FairJob(NamedTuple):
    """A job as it stands here. `tag` is 0 for one that is parked; `came` is in seconds since the
    epoch."""

    job_id: str
    owner: str
    tag: int
    came: float


class FairShare:
    """The fair share of one queue of BullMQ's. `at_once` of one owner's jobs are released at a
    time, without end where it is 0."""

    def __init__(self, redis: Redis, prefix: str, queue: str, at_once: int) -> None:
        self._redis: Any = redis
        self._at_once = at_once
        self._job_key = f"{prefix}:{queue}:"
        fair = f"{prefix}:fair"
        self._keys = [fair, *(f"{fair}:{of}" for of in ("jobs", "attempts", "released", "data"))]
        self._admit: Any = redis.register_script(_ADMIT)
        self._began: Any = redis.register_script(_BEGAN)
        self._ended: Any = redis.register_script(_ENDED)
        self._release_next: Any = redis.register_script(_RELEASE_NEXT)
        self._rescale: Any = redis.register_script(_RESCALE)

    async def admit(self, job: Job, data: str, now: float) -> int | None:
        """The priority of a job that is released; 0 for one that is parked, None for one that
        BullMQ has seen before. The same for a job that was admitted before."""
        attempt = f"{job.session_id}-{job.attempt}"
        args = [job.id, owner_of(job), attempt, data, round(now * 1000, 1), self._at_once]
        priority = int(await self._admit(keys=[*self._keys, self._job_key + job.id], args=args))
        return None if priority < 0 else priority

    async def began(self, job_id: str) -> None:
        """A worker has it: the virtual time moves on."""
        await self._began(keys=self._keys, args=[job_id])

    async def ended(self, job_id: str) -> list[Released]:
        """The job is done, has failed for good, or was removed. Answers those of its owner that are
        released now, for BullMQ."""
        released: Any = await self._ended(keys=self._keys, args=[job_id, self._at_once])
        return [Released(*each) for each in released]

    async def is_here(self, job_id: str) -> bool:
        return bool(await self._redis.hexists(self._keys[1], job_id))

    async def job_ids(self) -> list[str]:
        """Those of all jobs that are released or parked."""
        ids: list[str] = await self._redis.hkeys(self._keys[1])
        return ids

    async def release_next(self, owner: str) -> list[Released]:
        """What `ended` left parked although it may run: fewer ran at once when it was parked."""
        released: Any = await self._release_next(keys=self._keys, args=[owner, self._at_once])
        return [Released(*each) for each in released]

    async def jobs(self, also: Job | None = None) -> list[FairJob]:
        """All, in the order in which they would begin; `also` is one that is about to come."""
        stored: dict[str, str] = await self._redis.hgetall(self._keys[1])
        clocks: dict[str, str] = await self._redis.hgetall(self._keys[0])
        next_of_all = int(clocks.get("v", 0)) + 1
        found = [(job_id, json.loads(job)) for job_id, job in stored.items()]
        found.sort(key=lambda each: each[1]["came"])
        if also is not None and also.id not in stored:
            found.append((also.id, {"owner": owner_of(also), "tag": 0, "came": 0}))
        last: dict[str, int] = {}
        placed = []
        for job_id, job in found:
            tag, owner = int(job["tag"]), job["owner"]
            if not tag:
                before = last.get(owner, int(clocks.get(f"last:{owner}", next_of_all - _STEP)))
                last[owner] = max(next_of_all, before + _STEP)
            place = tag or last[owner]
            placed.append((place, FairJob(job_id, owner, tag, job["came"] / 1000)))
        return [job for _, job in sorted(placed, key=lambda each: each[0])]

    async def released(self, job: FairJob) -> Released | None:
        """A job that is released and has not begun, once more."""
        data = await self._redis.hget(self._keys[4], job.job_id)
        base = int(await self._redis.hget(self._keys[0], "base") or 0)
        return Released(job.job_id, max(1, job.tag - base), data) if job.tag and data else None

    async def rescale(self) -> None:
        """Let the priorities of all released jobs start anew; `priorities` has them."""
        await self._rescale(keys=self._keys)

    async def priorities(self) -> dict[str, int]:
        """Those of the released jobs where they have started anew before; else none is wrong."""
        base = int(await self._redis.hget(self._keys[0], "base") or 0)
        jobs = await self.jobs() if base else []
        return {job.job_id: max(1, job.tag - base) for job in jobs if job.tag}


def owner_of(job: Job) -> str:
    """The workspace and the person, as a session's id begins with them."""
    return ".".join(job.session_id.split(".")[:2])
