"""`FairShare`: whose image is made next, and how many of one person's are made at once.

Start-time fair queueing by owner: an attempt gets a tag, one more than the owner's last one or than
the queue's virtual time, whichever is later; the virtual time is the tag of the job that began
last. A person who asks for sixty images has the tags 1 to 60, and one who comes then stands beside
the next of them. All images of an attempt have its tag, and each counts as one for the next.
BullMQ's `priority` is the tag, so it orders what waits; equals keep their order of coming.

    {imagine}:fair            hash: v (the virtual time), base, last:<owner> (the owner's last tag)
    {imagine}:fair:jobs       hash: job id → its owner, attempt, tag, and when it came
    {imagine}:fair:data       hash: job id → its data, until it has begun
    {imagine}:fair:attempts   hash: attempt → its tag and how many jobs it has here
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

HIGHEST = 2**21
"""Of BullMQ's priorities."""
_RESCALE_FROM = 2**20

_COMMON = """
local fair, jobs, attempts, released, data = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local function number(key, field) return tonumber(redis.call('HGET', key, field) or 0) end
local function parked_of(owner) return fair .. ':parked:' .. owner end
local function release(id, job)
  local last, tag = 'last:' .. job.owner, nil
  local attempt = redis.call('HGET', attempts, job.attempt)
  attempt = attempt and cjson.decode(attempt) or {n = 0}
  if attempt.tag then
    tag = attempt.tag
    redis.call('HINCRBY', fair, last, 1)
  else
    tag = math.max(number(fair, 'v'), number(fair, last)) + 1
    redis.call('HSET', fair, last, tag)
  end
  redis.call('HSET', attempts, job.attempt, cjson.encode({tag = tag, n = attempt.n + 1}))
  redis.call('HINCRBY', released, job.owner, 1)
  job.tag = tag
  redis.call('HSET', jobs, id, cjson.encode(job))
  return {id, math.max(1, tag - number(fair, 'base')), redis.call('HGET', data, id)}
end
"""

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
local id, most = ARGV[1], tonumber(ARGV[2])
local known, out = redis.call('HGET', jobs, id), {}
if not known then return out end
local job = cjson.decode(known)
redis.call('HDEL', jobs, id)
redis.call('HDEL', data, id)
if job.tag == 0 then
  redis.call('LREM', parked_of(job.owner), 1, id)
else
  if redis.call('HINCRBY', released, job.owner, -1) <= 0 then
    redis.call('HDEL', released, job.owner)
  end
  local attempt = cjson.decode(redis.call('HGET', attempts, job.attempt))
  if attempt.n <= 1 then
    redis.call('HDEL', attempts, job.attempt)
  else
    redis.call('HSET', attempts, job.attempt, cjson.encode({tag = attempt.tag, n = attempt.n - 1}))
  end
end
while most == 0 or number(released, job.owner) < most do
  local next = redis.call('LPOP', parked_of(job.owner))
  if not next then break end
  out[#out + 1] = release(next, cjson.decode(redis.call('HGET', jobs, next)))
end
local last = 'last:' .. job.owner
if number(released, job.owner) == 0 and number(fair, last) <= number(fair, 'v') then
  redis.call('HDEL', fair, last)
end
if redis.call('HLEN', jobs) == 0 then redis.call('DEL', fair, attempts, released, data) end
return out
"""
)

_RESCALE = (
    _COMMON
    + """
-- Answers the new base.
redis.call('HSET', fair, 'base', number(fair, 'v'))
return number(fair, 'v')
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
        self._rescale: Any = redis.register_script(_RESCALE)

    async def admit(self, job: Job, data: str, now: float) -> int | None:
        """The priority of a job that is released; 0 for one that is parked, None for one that
        BullMQ has seen before. The same for a job that was admitted before."""
        attempt = f"{job.session_id}-{job.attempt}"
        args = [job.id, owner_of(job), attempt, data, round(now * 1000), self._at_once]
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

    async def jobs(self) -> list[FairJob]:
        """All, in the order in which they would begin."""
        stored: dict[str, str] = await self._redis.hgetall(self._keys[1])
        found = [(job_id, json.loads(job)) for job_id, job in stored.items()]
        found.sort(key=lambda each: each[1]["came"])
        tags: dict[str, int] = {}
        for _, job in found:
            tags[job["owner"]] = max(tags.get(job["owner"], 0), int(job["tag"]))
        placed = []
        for job_id, job in found:
            tag = int(job["tag"])
            if not tag:
                tags[job["owner"]] += 1
            place = tag or tags[job["owner"]]
            placed.append((place, FairJob(job_id, job["owner"], tag, job["came"] / 1000)))
        return [job for _, job in sorted(placed, key=lambda each: each[0])]

    async def released(self, job: FairJob) -> Released | None:
        """A job that is released and has not begun, once more."""
        data = await self._redis.hget(self._keys[4], job.job_id)
        base = int(await self._redis.hget(self._keys[0], "base") or 0)
        return Released(job.job_id, max(1, job.tag - base), data) if job.tag and data else None

    async def rescaled(self, priority: int) -> dict[str, int]:
        """Where priorities come near the highest that BullMQ orders, all start anew: the new one of
        each released job."""
        if priority < _RESCALE_FROM:
            return {}
        base = int(await self._rescale(keys=self._keys))
        return {job.job_id: max(1, job.tag - base) for job in await self.jobs() if job.tag}


def owner_of(job: Job) -> str:
    """The workspace and the person, as a session's id begins with them."""
    return ".".join(job.session_id.split(".")[:2])
