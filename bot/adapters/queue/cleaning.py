"""Removes what is old in a queue. BullMQ does that only when the next job ends: in an idle queue
the finished jobs and the stream of events would stay."""

from __future__ import annotations

import time
from typing import Any

from redis.asyncio import Redis

COMPLETED_FOR = 3_600
FAILED_FOR = 86_400
"""Seconds that a finished job is kept; for as long the queue knows its id."""
EVENTS_FOR = 3_600
"""Seconds. Nothing of ours reads the events; dashboards do."""
WITHOUT_WORKERS = 7 * 86_400
"""Seconds after the last worker's pass for which the queue's own keys are kept."""
AT_ONCE = 500
"""Jobs of one state that one pass removes: the server does nothing else meanwhile."""


async def clean_queue(queue: Any, redis: Redis) -> int:
    """One pass; answers how many jobs were removed. Several processes may do it at the same time.

    The script takes from the set of finished jobs alone. So a job that waits, is delayed or active
    stays, however old it is.
    """
    removed = 0
    now = round(time.time() * 1000)
    for state, seconds in {"completed": COMPLETED_FOR, "failed": FAILED_FOR}.items():
        until = now - seconds * 1000
        # the script writes an event even where there is nothing to remove
        if await redis.zrangebyscore(queue.keys[state], 0, until, start=0, num=1):
            removed += len(await queue.clean(seconds * 1000, AT_ONCE, state))
    events, meta, counter = (queue.keys[name] for name in ("events", "meta", "id"))
    pipeline = redis.pipeline(transaction=False)
    pipeline.xtrim(events, minid=now - EVENTS_FOR * 1000, approximate=False)
    for key in (events, meta, counter):
        pipeline.expire(key, WITHOUT_WORKERS)
    await pipeline.execute()
    return removed
