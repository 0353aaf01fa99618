"""`SharedGauges`: the gauges of the queue, the sessions, the books, the record and Redis' memory,
read at a scrape of a worker.

A scrape waits only so long for Redis. A gauge that cannot be read is left out, so that nobody takes
an old number for a new one; the rest of the metrics is served all the same.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from bot.concurrency import cancel_and_wait
from bot.domain.stages import Stage
from bot.ops.spending import AGES, SpendingTotals
from bot.ports import MemoryUsage, QueueDepth
from bot.telemetry.metrics import (
    BUDGET_USED_RATIO,
    HOLDS,
    QUEUE_JOBS,
    QUEUE_OLDEST_SECONDS,
    RECORD_UNSEALED_SECONDS,
    REDIS_MEMORY,
    SESSIONS,
    SPENT_DOLLARS,
)

log = logging.getLogger(__name__)

SCRAPE_WITHIN = 2.0
"""Seconds that a scrape waits for Redis; a census that takes longer goes on."""
CENSUS_EVERY = 60.0

T = TypeVar("T")
Depths = Callable[[], Awaitable[list[QueueDepth]]]
Census = Callable[[], Awaitable[Mapping[Stage, int]]]
ReadMemory = Callable[[], Awaitable[MemoryUsage]]
UnsealedSince = Callable[[], Awaitable[float]]
"""The time of the oldest entry of the record without a seal, 0 where all have one."""
ReadSpending = Callable[[], Awaitable[SpendingTotals]]


class SharedGauges:
    """Reads once at a time, however many scrapes there are. Clears first what an earlier instance
    in this process has set."""

    def __init__(
        self,
        depths: Depths,
        census: Census,
        memory: ReadMemory,
        unsealed_since: UnsealedSince,
        spending: ReadSpending,
        now: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._depths = depths
        self._census = census
        self._memory = memory
        self._unsealed_since = unsealed_since
        self._spending = spending
        self._now = now
        self._wall_clock = wall_clock
        self._counted_at: float | None = None
        self._queue: asyncio.Task[None] | None = None
        self._server: asyncio.Task[None] | None = None
        self._sessions: asyncio.Task[None] | None = None
        _clear_queue()
        SESSIONS.clear()
        REDIS_MEMORY.clear()

    async def refresh(self) -> None:
        """At most `SCRAPE_WITHIN` seconds. Never raises."""
        if self._queue is None or self._queue.done():
            self._queue = asyncio.create_task(self._read_queue())
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._read_memory())
        if (self._sessions is None or self._sessions.done()) and self._census_due():
            self._sessions = asyncio.create_task(self._read_seldom())
        tasks = {task for task in self._tasks if task is not None}
        _, late = await asyncio.wait(tasks, timeout=SCRAPE_WITHIN)
        if self._queue in late:
            _clear_queue()
        if self._server in late:
            REDIS_MEMORY.clear()

    async def close(self) -> None:
        for task in self._tasks:
            if task is not None:
                await cancel_and_wait(task)

    @property
    def _tasks(self) -> tuple[asyncio.Task[None] | None, ...]:
        return self._queue, self._server, self._sessions

    def _census_due(self) -> bool:
        return self._counted_at is None or self._now() - self._counted_at >= CENSUS_EVERY

    async def _read_queue(self) -> None:
        depths = await _read(self._depths, "the queue", _clear_queue)
        for depth in depths or ():
            for state, jobs in depth.jobs.items():
                QUEUE_JOBS.labels(depth.queue, state).set(jobs)
            QUEUE_OLDEST_SECONDS.labels(depth.queue).set(depth.oldest_seconds)

    async def _read_memory(self) -> None:
        memory = await _read(self._memory, "Redis' memory", REDIS_MEMORY.clear, logging.DEBUG)
        if memory is not None:
            REDIS_MEMORY.labels("used").set(memory.used)
            REDIS_MEMORY.labels("max").set(memory.most)

    async def _read_seldom(self) -> None:
        """The gauges that take a look at every session or workspace."""
        await self._count_sessions()
        await self._read_unsealed()
        await self._read_spending()

    async def _count_sessions(self) -> None:
        counted = await _read(self._census, "the sessions", SESSIONS.clear)
        self._counted_at = None if counted is None else self._now()
        if counted is not None:
            for stage in Stage:
                SESSIONS.labels(stage.value).set(counted.get(stage, 0))

    async def _read_unsealed(self) -> None:
        since = await _read(self._unsealed_since, "the record", _clear_unsealed)
        if since is not None:
            RECORD_UNSEALED_SECONDS.set(max(0.0, self._wall_clock() - since) if since else 0.0)

    async def _read_spending(self) -> None:
        spending = await _read(self._spending, "the books", _clear_spending)
        if spending is not None:
            SPENT_DOLLARS.set(spending.dollars)
            BUDGET_USED_RATIO.set(spending.budget_used)
            for age in AGES:
                HOLDS.labels(age).set(spending.holds[age])


async def _read(
    read: Callable[[], Awaitable[T]],
    what: str,
    clear: Callable[[], None],
    level: int = logging.WARNING,
) -> T | None:
    """None, with the gauges cleared, where it cannot be read: the rest of the scrape goes on."""
    try:
        return await read()
    except Exception as error:  # noqa: BLE001 - see above
        log.log(level, "%s could not be read: %s", what, type(error).__name__)
        clear()
        return None


def _clear_queue() -> None:
    QUEUE_JOBS.clear()
    QUEUE_OLDEST_SECONDS.clear()


def _clear_unsealed() -> None:
    RECORD_UNSEALED_SECONDS.set(math.nan)


def _clear_spending() -> None:
    SPENT_DOLLARS.set(math.nan)
    BUDGET_USED_RATIO.set(math.nan)
    HOLDS.clear()
