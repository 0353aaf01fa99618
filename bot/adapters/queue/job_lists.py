"""The lists in which BullMQ keeps the jobs of a queue, and what stands in them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis

from bot.adapters.queue.job_data import PREFIX
from bot.ports import JobState, QueueDepth

WAITING = ("wait", "prioritized", "delayed")
LIVE = (*WAITING, "paused", "active")
_LISTS = {"wait", "paused", "active"}
"""The others are sorted sets."""

STATES = {
    "waiting": JobState.WAITING,
    "delayed": JobState.WAITING,
    "prioritized": JobState.WAITING,
    "paused": JobState.WAITING,
    "active": JobState.RUNNING,
    "completed": JobState.DONE,
    "failed": JobState.FAILED,
}


def read_ids(pipeline: Any, queue: str, lists: Iterable[str]) -> None:
    """Have the pipeline read the ids in each list. BullMQ takes from the end of `wait`, and from
    the front of a sorted set."""
    for name in lists:
        read = pipeline.lrange if name in _LISTS else pipeline.zrange
        read(f"{PREFIX}:{queue}:{name}", 0, -1)


async def depth(queue: Any, redis: Redis, parked: int) -> QueueDepth:
    """How much there is in the queue. `parked`: generations that are not in BullMQ yet."""
    counts = await queue.getJobCounts(*STATES)
    jobs = {
        "waiting": counts["waiting"] + counts["prioritized"] + counts["paused"] + parked,
        **{state: counts[state] for state in ("delayed", "active", "failed")},
    }
    return QueueDepth(queue.name.removeprefix("imagine-"), jobs, await _oldest(queue, redis))


async def _oldest(queue: Any, redis: Redis) -> float:
    """Seconds that the next job has been there, by the clocks of two machines."""
    for job_id in await queue.backend.getRanges(["wait", "prioritized"], 0, 0, True):
        queued: Any = redis.hget(f"{PREFIX}:{queue.name}:{job_id}", "timestamp")
        if (timestamp := await queued) is not None:  # none where a worker has just finished it
            return max(0.0, time.time() - float(timestamp) / 1000)
    return 0.0
