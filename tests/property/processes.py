"""Processes that share one Redis. The store of each can be held back before it writes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis import RedisSessionStore, redis_client
from bot.concurrency import BackgroundTasks
from bot.domain.policy import Policy
from bot.domain.session import Session
from bot.service import Services
from tests.fakes import FakeCancellations, FakeJobQueue, FakeLedger, workspace_limits
from tests.property.people import NOW, OTHER_DIRECTOR

SESSION_TTL, IMAGE_TTL, PATIENCE = 3_600, 600, 60.0


class HeldStore(RedisSessionStore):
    """What it has loaded and changed waits for `gate` before it is written. `waiting` is set when
    it does."""

    gate: asyncio.Event | None = None
    waiting: asyncio.Event

    def __init__(self, redis: Redis, **settings: Any) -> None:
        super().__init__(redis, **settings)
        writer: Any = self._writer
        self._commit = writer.commit
        writer.commit = self._commit_once_open

    async def _commit_once_open(self, *arguments: Any) -> Any:
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        return await self._commit(*arguments)


class Process:
    """A store and who decides by it. `stop` is as a process that dies: nothing is finished."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = redis_client(url, PATIENCE)
        self.store = HeldStore(
            self._redis, session_ttl=SESSION_TTL, image_ttl=IMAGE_TTL, patience=PATIENCE
        )
        passing = count(NOW, 5.0)  # nobody waits for a record that a click has overtaken
        self.services = Services.build(
            self.store,
            FakeJobQueue(),
            FakeCancellations(),
            Policy(others=frozenset({OTHER_DIRECTOR})),
            BackgroundTasks(),
            lambda: next(passing),
            limits=workspace_limits(),
            ledger=FakeLedger(),
        )

    @contextmanager
    def holding(self) -> Iterator[asyncio.Event]:
        """What begins in the body is not written before the event is set."""
        self.store.gate = gate = asyncio.Event()
        self.store.waiting = asyncio.Event()
        yield gate
        self.store.gate = None

    async def reached_write(self, task: asyncio.Future[Session]) -> None:
        """Wait until the task would write, or has ended without."""
        waiting = asyncio.ensure_future(self.store.waiting.wait())
        first: set[asyncio.Future[Any]] = {task, waiting}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def stop(self) -> None:
        await self._redis.aclose()
