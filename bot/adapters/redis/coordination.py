"""What the processes tell one another through Redis, beside the sessions: which runs of generations
live, that an attempt was cancelled, that Slack refuses the app. And whether Redis takes changes."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError, RedisError

from bot.adapters.redis.schema import APP_BLOCKED, CANCELLED, TEST_WRITE, run_key
from bot.adapters.redis_errors import bounded
from bot.domain.app_blocked import AppBlocked
from bot.domain.errors import StoreTrouble, StoreUnavailable
from bot.telemetry.metrics import STORE_REFUSES

log = logging.getLogger(__name__)

SILENT_AFTER = 0.8
"""Of a job's lease: without a heartbeat for so long a run is silent. It is silent before its job is
given to another worker."""
BEAT_EVERY = 0.2
"""Of a job's lease."""
STEADY_FOR = 0.4
"""Of a job's lease: silence counts only after Redis has answered for so long. After an outage of
Redis every run is silent until its next heartbeat."""
_ALIVE, _ENDED = "alive", "ended"
_ENDED_TTL = 60
"""Seconds for which Redis knows that a run has ended."""
_END_WITHIN = 0.5
"""Seconds; a run that is handed back has little time."""

_SEND_WITHIN = 2.5
"""Seconds for sending; left alone, the client would try for a quarter of an hour."""
_SILENCE = 3.0
"""Seconds without a message after which Redis is asked for a sign of life, and then given up."""
_LISTEN_AGAIN_AFTER = 0.5
"""Seconds."""

_APP_BLOCKED_TTL = 30 * 24 * 3600
"""Seconds; a process that is refused after that stores it anew."""

PROBE_EVERY = 2.0
"""Seconds, of which each pause takes between a half and all."""

_STEADY_AFTER = 5
"""Changes in a row that the store takes before the trouble counts as over."""

REFUSED = {
    StoreTrouble.FULL: "Redis is full: nothing new is generated until it has room (maxmemory)",
    StoreTrouble.READ_ONLY: (
        "Redis takes no changes: nothing new is generated until it does (INFO persistence, "
        "INFO replication)"
    ),
}
"""The troubles in which Redis answers, in words for the operator."""
_TEST_WRITE_TTL = 60
"""Seconds."""


class RedisHeartbeats:
    """Implements `bot.ports.Heartbeats`: each run has a key, which the process that runs it keeps
    from expiring. `patience` bounds each call, in seconds, and `lease` is the job's."""

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

    async def begin(self, run_id: str) -> None:
        async with bounded(self._patience):
            await self._redis.set(run_key(run_id), _ALIVE, px=self._ttl)
        self._mine.add(run_id)

    async def end(self, run_id: str) -> None:
        """A full Redis takes no value; then the key is deleted."""
        self._mine.discard(run_id)
        with suppress(StoreUnavailable):
            async with bounded(_END_WITHIN):
                try:
                    await self._redis.set(run_key(run_id), _ENDED, ex=_ENDED_TTL)
                except RedisError:
                    await self._redis.delete(run_key(run_id))

    async def is_alive(self, run_id: str) -> bool:
        if run_id in self._mine:
            return True
        async with bounded(self._patience):
            mark = await self._redis.get(run_key(run_id))
        if mark is None:
            return self._clock() - self._steady_since < self._steady_for
        return bool(mark == _ALIVE)

    async def beat_for_ever(self) -> None:
        while True:
            try:
                await self.beat()
            except StoreUnavailable as error:
                log.debug("no heartbeat: %s", error)
                self._steady_since = self._clock()
            await asyncio.sleep(self._pause)

    async def beat(self) -> None:
        """Once for every run of this process. A full Redis still renews a key that is there."""
        mine = sorted(self._mine)
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.ping()
            for run_id in mine:
                pipeline.pexpire(run_key(run_id), self._ttl)
            _, *kept = await pipeline.execute()
        for run_id, there in zip(mine, kept, strict=True):
            if not there and run_id in self._mine:
                try:
                    async with bounded(self._patience):
                        await self._redis.set(run_key(run_id), _ALIVE, px=self._ttl)
                except StoreUnavailable as error:
                    log.warning("a run counts as dead and lives: %s", error)


class RedisCancellations:
    """Implements `bot.ports.Cancellations` over pub/sub, and listens for the worker."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def send(self, session_id: str) -> None:
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                await self._redis.publish(CANCELLED, session_id)
        except (RedisError, OSError) as error:  # OSError: TimeoutError is one
            log.warning("no word of a cancellation: %s", type(error).__name__)

    async def listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call `heard` with each session id, for ever. `missed` is called whenever the listening
        begins (again): messages that were sent before that did not arrive."""
        while True:
            try:
                await self._listen(heard, missed)
            except (RedisError, OSError) as error:
                log.info("not listening for cancellations: %s", type(error).__name__)
            await asyncio.sleep(_LISTEN_AGAIN_AFTER)

    async def _listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Until Redis does not answer any more: a connection that died silently says nothing."""
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(CANCELLED)
            asked = False
            while True:
                message = await pubsub.get_message(timeout=_SILENCE)
                if message is None and asked:
                    raise ConnectionError("no sign of life")
                asked = message is None
                if message is None:
                    await pubsub.ping()
                elif message["type"] == "subscribe":
                    missed()
                elif message["type"] == "message":
                    heard(message["data"])


class RedisAppBlockedStore:
    """Implements `bot.ports.AppBlockedStore`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience

    async def load(self) -> AppBlocked | None:
        async with bounded(self._patience):
            stored = await self._redis.get(APP_BLOCKED)
        return AppBlocked(**json.loads(stored)) if stored else None

    async def save(self, app_blocked: AppBlocked) -> None:
        async with bounded(self._patience):
            await self._redis.set(APP_BLOCKED, json.dumps(asdict(app_blocked)), ex=_APP_BLOCKED_TTL)

    async def clear(self) -> None:
        async with bounded(self._patience):
            await self._redis.delete(APP_BLOCKED)


class WriteProbe:
    """Tries every few seconds whether Redis takes a small change that means nothing. `patience`
    bounds each try, in seconds. The calls that fail log a Redis that is away."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience
        self.trouble: StoreTrouble | None = None
        """Why Redis did not take the last change; None where it did."""
        self._logged: StoreTrouble | None = None
        self._taken = 0

    def is_free_of(self, trouble: StoreTrouble) -> bool:
        return self.trouble is not trouble

    async def repeat(self) -> None:
        """For ever."""
        while True:
            await self.try_once()
            await asyncio.sleep(PROBE_EVERY * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def try_once(self) -> None:
        """Logged is the beginning of a trouble, and its end once Redis is steady: a full one takes
        a small change now and then."""
        try:
            async with bounded(self._patience):
                await self._redis.set(TEST_WRITE, "", ex=_TEST_WRITE_TTL)
            self.trouble = None
        except StoreUnavailable as error:
            self.trouble = error.trouble
        for trouble in REFUSED:
            STORE_REFUSES.labels(trouble.value).set(self.trouble is trouble)
        if self.trouble in REFUSED:
            self._taken = 0
            if self.trouble is not self._logged:
                self._logged = self.trouble
                log.error("%s", REFUSED[self.trouble])
        elif self.trouble is None and self._logged is not None:
            self._taken += 1
            if self._taken == _STEADY_AFTER:
                self._logged = None
                log.warning("Redis takes changes again")
