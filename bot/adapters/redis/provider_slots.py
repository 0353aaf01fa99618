"""`RedisProviderSlots`: how many calls to the provider all workers make at a time, and the pauses
that the provider asks for.

    {imagine}:provider:slot:<n>   string: the lease of who has the slot, while its process renews it
    {imagine}:provider:pause      string: there while the provider wants no calls

A worker takes a slot before it takes a job, so that what waits for a slot waits in the queue, in
the queue's order. The slot is given back once the image is there, or with the end of the job. A
process that is killed renews nothing: its slots are free again when their leases end, which is much
sooner than its jobs run again. A lease that may have a slot unknown to its process, because an
answer did not come, is given back as well. Where all leases ended because Redis was away, those who
still call take their slots again first.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from bot.adapters.redis.provider_slot_scripts import GIVE_BACK, PAUSE, RENEW, TAKE
from bot.adapters.redis.schema import PROVIDER_PAUSE, PROVIDER_SLOTS
from bot.adapters.redis_errors import bounded
from bot.concurrency import wait_for_event
from bot.domain.errors import StoreUnavailable

log = logging.getLogger(__name__)

LEASE = 3.0
"""Seconds for which a silent process has its slots."""
_LOOK_EVERY = 0.2
"""Seconds between two looks whether another process has given a slot back."""
_RENEW_EVERY = 0.2
"""Of a lease."""
_SPREAD = 0.1
"""Of a pause: after it the calls begin in so much time, not in one moment."""


class RedisProviderSlots:
    """Implements `bot.ports.ProviderSlots`. `slots` of 0 sets no limit. `lease` is the seconds
    after which a slot of a silent process is free; `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float, slots: int, lease: float = LEASE) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._slots = slots
        self._lease = lease
        self._held: dict[str, str] = {}
        self._doubtful: dict[str, float] = {}
        self._current: ContextVar[str] = ContextVar("provider slot", default="")
        self._redis_was_away = False
        self._no_pause_until = 0.0
        self._given_back = asyncio.Event()
        self._taking = asyncio.Lock()
        self._take: Any = redis.register_script(TAKE)
        self._renew: Any = redis.register_script(RENEW)
        self._pause: Any = redis.register_script(PAUSE)
        self._give_back: Any = redis.register_script(GIVE_BACK)

    async def take(self, given_up: Callable[[], bool]) -> str | None:
        """One look at a time: those who wait in this process would all look otherwise."""
        async with self._taking:
            return await self._wait_for_slot(given_up)

    async def _wait_for_slot(self, given_up: Callable[[], bool]) -> str | None:
        while not given_up():
            lease = uuid4().hex
            self._given_back.clear()
            try:
                await self._let_holders_renew()
                await self._give_back_doubtful()
                slot = await self._try(lease)
            except StoreUnavailable as error:
                log.debug("no slot: %s", error)
                self._redis_was_away = True
                slot = -1
            if slot >= 0:
                if slot:
                    self._held[lease] = f"{PROVIDER_SLOTS}{slot}"
                return lease
            await wait_for_event(self._given_back, _LOOK_EVERY)
        return None

    async def _try(self, lease: str) -> int:
        """Without a limit, only a pause could hold a job back: that there is none is remembered for
        a moment. A pause that begins meanwhile is waited for before the call."""
        if not self._slots and time.monotonic() < self._no_pause_until:
            return 0
        keys, ttl = [PROVIDER_SLOTS, PROVIDER_PAUSE], round(self._lease * 1000)
        with self._doubted(lease):
            async with bounded(self._patience):
                slot = int(await self._take(keys=keys, args=[lease, self._slots, ttl]))
        if not slot:
            self._no_pause_until = time.monotonic() + _LOOK_EVERY
        return slot

    async def _let_holders_renew(self) -> None:
        """Once Redis is back, those whose leases ended meanwhile take their slots again."""
        if not (self._redis_was_away and self._slots):
            return
        async with bounded(self._patience):
            await self._redis.exists(PROVIDER_PAUSE)
        await asyncio.sleep(2 * self._lease * _RENEW_EVERY)
        self._redis_was_away = False

    def use(self, lease: str) -> None:
        self._current.set(lease)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        lease = self._current.get()
        is_of_job = bool(lease) and (not self._slots or lease in self._held)
        if not is_of_job:
            lease = await self._wait_for_slot(lambda: False) or ""
        called = False
        try:
            await self._wait_for_end_of_pause()
            yield
            called = True
        finally:
            if called or not is_of_job:  # what a job has, it keeps for its next try
                await self.give_back(lease)

    async def _wait_for_end_of_pause(self) -> None:
        paused = 0.0
        try:
            while True:
                async with bounded(self._patience):
                    left = await self._redis.pttl(PROVIDER_PAUSE)
                if left <= 0:
                    break
                paused = max(paused, left / 1000)
                await asyncio.sleep(left / 1000)
        except StoreUnavailable as error:
            log.debug("whether the provider wants calls is not known: %s", error)
        await asyncio.sleep(paused * random.uniform(0.0, _SPREAD))  # noqa: S311 - no secret

    async def pause(self, seconds: float) -> None:
        milliseconds, self._no_pause_until = round(seconds * 1000), 0.0
        try:
            async with bounded(self._patience):
                if milliseconds and await self._pause(keys=[PROVIDER_PAUSE], args=[milliseconds]):
                    log.warning("the provider wants no calls for %.1f s", milliseconds / 1000)
        except StoreUnavailable as error:
            log.info("other workers do not know that the provider wants no calls: %s", error)

    async def give_back(self, lease: str) -> None:
        key = self._held.pop(lease, None)
        if key is None:
            return
        try:
            with self._doubted(lease):
                async with bounded(self._patience):
                    await self._give_back(keys=[key], args=[lease])
        except StoreUnavailable as error:
            log.debug("a slot was not given back: %s", error)
        self._given_back.set()

    @contextmanager
    def _doubted(self, *leases: str) -> Iterator[None]:
        """Where the body is not done, a slot may be taken under a lease that nobody has."""
        try:
            yield
        except BaseException:
            self._doubtful.update(dict.fromkeys(leases, time.monotonic() + self._lease))
            raise

    async def _give_back_doubtful(self) -> None:
        """More than once: a server that was stopped may still do what nobody waits for."""
        if doubtful := dict(self._doubtful):
            keys = [f"{PROVIDER_SLOTS}{n}" for n in range(1, self._slots + 1)]
            async with bounded(self._patience):
                await self._give_back(keys=keys, args=list(doubtful))
            for lease, until in doubtful.items():
                if until < time.monotonic():
                    self._doubtful.pop(lease, None)

    async def close(self) -> None:
        """Give back every slot that this process has, or may have."""
        self._doubtful.update(dict.fromkeys(self._held, time.monotonic()))
        self._held.clear()
        try:
            await self._give_back_doubtful()
        except StoreUnavailable as error:  # the leases end
            log.debug("slots were not given back: %s", error)

    async def renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._lease * _RENEW_EVERY)
            try:
                await self.renew()
            except StoreUnavailable as error:
                log.debug("no slot was renewed: %s", error)

    async def renew(self) -> None:
        """Once for every slot of this process."""
        if held := dict(self._held):
            args = [round(self._lease * 1000), *held]
            try:
                async with bounded(self._patience):
                    await self._renew(keys=list(held.values()), args=args)
            finally:
                given_back = held.keys() - self._held.keys()
                self._doubtful.update(dict.fromkeys(given_back, time.monotonic() + self._lease))
        await self._give_back_doubtful()
