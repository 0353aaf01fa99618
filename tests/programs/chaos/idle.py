"""Waiting until nothing is owed any more."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from tests.programs.chaos.archive import read_sessions
from tests.programs.chaos.world import World

LAST_EDIT = 90.0
"""Seconds: the last edit of a status has two minutes."""
_SILENCE = 2.5
"""Seconds without a call to Slack, after which nobody is at work any more."""
QUEUES = ("{imagine}:imagine-generate", "{imagine}:imagine-publish")
LIVE = ("wait", "active", "delayed", "prioritized", "paused", "waiting-children")


@dataclass(frozen=True)
class RemainingWork:
    """What is still under way; all zero when all is quiet. `in_turn`: generations that the fair
    queue holds, parked or not."""

    generating: int = 0
    jobs: int = 0
    unfinished: int = 0
    in_turn: int = 0

    def __bool__(self) -> bool:
        return bool(self.generating or self.jobs or self.unfinished or self.in_turn)


async def until_idle(world: World) -> tuple[float, RemainingWork]:
    """Seconds that it took, and what was left when it ended or the time was up. A job may be lost
    by two dead workers."""
    longest = 3 * world.plan.lease + LAST_EDIT
    began = time.time()
    while True:
        left = await _look(world)
        if not left and _silent(world):
            return time.time() - began, left
        if time.time() - began > longest:
            return time.time() - began, left
        await asyncio.sleep(0.3)


def _silent(world: World) -> bool:
    calls = world.slack.calls
    return not calls or time.time() - calls[-1].at > _SILENCE


async def _look(world: World) -> RemainingWork:
    try:
        async with world.redis() as redis:
            sessions = await read_sessions(redis)
            jobs = 0
            for queue in QUEUES:
                for name in LIVE:
                    jobs += await length_of(redis, f"{queue}:{name}")
            lists = [key async for key in redis.scan_iter("imagine:{*}:unfinished")]
            unfinished = sum([int(await redis.zcard(key)) for key in lists])
            in_turn = int(await redis.hlen("{imagine}:fair:jobs"))
    except (RedisError, OSError):
        return RemainingWork(jobs=-1)
    generating = sum(session.stage == "generating" for session in sessions)
    return RemainingWork(generating, jobs, unfinished, in_turn)


async def length_of(redis: object, key: str) -> int:
    """Of a list or a sorted set; 0 where there is none."""
    client: object = redis
    kind = await client.type(key)  # type: ignore[attr-defined]
    if kind == "list":
        return int(await client.llen(key))  # type: ignore[attr-defined]
    return int(await client.zcard(key)) if kind == "zset" else 0  # type: ignore[attr-defined]
