"""Shows stage changes and jobs on the wire, as Redis tells of them."""

from __future__ import annotations

import contextlib
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as LostConnectionError

from bot.adapters.queue.job_data import GENERATE_QUEUE, PREFIX, PUBLISH_QUEUE
from bot.sandbox import Feed

_SESSIONS = "__keyspace@0__:imagine:{*}:session:*"
_STREAMS = {f"{PREFIX}:{queue}:events": queue for queue in (GENERATE_QUEUE, PUBLISH_QUEUE)}
_SHOWN = {
    "added",
    "active",
    "completed",
    "failed",
    "stalled",
    "retries-exhausted",
    "delayed",
}
_BLOCK_MS = 2_000


async def watch_stages(redis_url: str, feed: Feed) -> None:
    """Show every change of a session's stage."""
    stages: dict[str, str] = {}
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        await redis.config_set("notify-keyspace-events", "Kh")
        async with redis.pubsub() as changes:
            await changes.psubscribe(_SESSIONS)
            with contextlib.suppress(LostConnectionError):
                async for change in changes.listen():
                    if change["type"] == "pmessage":
                        key = str(change["channel"]).partition(":")[2]
                        await _show_stage(redis, feed, stages, key)


async def _show_stage(redis: Any, feed: Feed, stages: dict[str, str], key: str) -> None:
    stage = await redis.hget(key, "stage")
    before = stages.get(key)
    if stage is None or stage == before:
        return
    stages[key] = stage
    arrow = f"{before} → {stage}" if before else stage
    feed.note("stage", f"session {key.rpartition('.')[2][:8]}: {arrow}")


async def watch_jobs(redis_url: str, feed: Feed) -> None:
    """Show what the queue does with its jobs."""
    last: dict[Any, Any] = dict.fromkeys(_STREAMS, "$")
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        with contextlib.suppress(LostConnectionError):
            while True:
                found: Any = await redis.xread(last, block=_BLOCK_MS)
                for stream, entries in found.items() if isinstance(found, dict) else found or []:
                    for entry_id, fields in _flat(entries):
                        last[stream] = entry_id
                        _show_job(feed, _STREAMS[stream], fields)


def _flat(entries: list[Any]) -> list[Any]:
    """RESP3 answers wrap the entries in one more list."""
    return entries[0] if entries and isinstance(entries[0], list) else entries


def _show_job(feed: Feed, queue: str, fields: dict[str, str]) -> None:
    event = fields.get("event", "")
    if event in _SHOWN:
        details = {"bad": True} if event in {"failed", "stalled", "retries-exhausted"} else {}
        feed.note("job", f"{queue} {fields.get('jobId', '')}: {event}", **details)
