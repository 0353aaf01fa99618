"""Which runs live: each has a key, which the process that runs it keeps from expiring."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.adapters.redis.schema import run_key
from bot.adapters.redis_errors import bounded
from bot.domain.errors import StoreUnavailable

log = logging.getLogger(__name__)

SILENT_AFTER = 0.8
"""Of a job's lease: without a beat for so long, a run is silent. It is so before its job is given
to another worker."""
BEAT_EVERY = 0.2
STEADY_FOR = 0.4
"""Of a job's lease: for so long Redis has to answer before silence says anything. After an outage
of Redis every run is silent until its next beat."""
_ENDED_FOR = 60.0
_END_WITHIN = 0.5
"""Seconds; a run that is handed back has little time."""


class _Mark(StrEnum):
    ALIVE = "alive"
    ENDED = "ended"


class RedisHeartbeats:
    """Implements `bot.ports.Heartbeats`. `patience` bounds each call, in seconds."""

    def __init__(
        self,
        redis: Redis,
        patience: float,
        lease: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._ttl = round(lease * SILENT_AFTER * 1000)
        self._pause = lease * BEAT_EVERY
        self._steady_for = lease * STEADY_FOR
        self._clock = clock
        self._mine: set[str] = set()
        self._steady_since = clock()

    async def begin(self, run: str) -> None:
        async with bounded(self._patience):
            await self._mark(run)
        self._mine.add(run)

    async def end(self, run: str) -> None:
        """A full Redis takes no mark; then the key goes."""
        self._mine.discard(run)
        with suppress(StoreUnavailable):
            async with bounded(_END_WITHIN):
                try:
                    await self._redis.set(run_key(run), _Mark.ENDED, ex=int(_ENDED_FOR))
                except RedisError:
                    await self._redis.delete(run_key(run))

    async def is_alive(self, run: str) -> bool:
        if run in self._mine:
            return True
        async with bounded(self._patience):
            mark = await self._redis.get(run_key(run))
        if mark is None:
            return self._clock() - self._steady_since < self._steady_for
        return bool(mark == _Mark.ALIVE)

    async def beat_for_ever(self) -> None:
        while True:
            try:
                await self.beat()
            except StoreUnavailable as error:
                log.debug("no heartbeat: %s", error)
                self._steady_since = self._clock()
            await asyncio.sleep(self._pause)

    async def beat(self) -> None:
        """Once for every run of this process. A key that is there can be kept in a full Redis."""
        mine = sorted(self._mine)
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.ping()
            for run in mine:
                pipeline.pexpire(run_key(run), self._ttl)
            _, *kept = await pipeline.execute()
        for run, there in zip(mine, kept, strict=True):
            if not there and run in self._mine:
                await self._revive(run)

    async def _revive(self, run: str) -> None:
        try:
            async with bounded(self._patience):
                await self._mark(run)
        except StoreUnavailable as error:
            log.warning("a run counts as dead and lives: %s", error)

    async def _mark(self, run: str) -> None:
        await self._redis.set(run_key(run), _Mark.ALIVE, px=self._ttl)
