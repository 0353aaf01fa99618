"""All that the program does over Redis, with its own clients: what a test of a server walks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import RedisCancellations, RedisServer, RedisSessionStore, redis_client
from bot.domain.attempt import ImageRef
from bot.domain.errors import QueueUnavailable
from bot.domain.jobs import Job
from bot.ports import JobState
from tests.fakes import a_session
from tests.integration.queue_worker import generation, reached, until, working

TIMEOUT = 40.0


@dataclass
class InUse:
    """`started` and `ended` are sessions whose jobs the worker has taken up and finished; it holds
    a job for as long as `held` says."""

    store: RedisSessionStore
    server: RedisServer
    queue: BullJobQueue
    cancellations: RedisCancellations
    heard: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, job: Job, repeated: bool) -> None:
        self.started.append(job.session_id)
        await self.may_end.wait()
        self.ended.append(job.session_id)

    async def works(self, token: str) -> None:
        """A session is written and read, a job runs, and word of a cancellation arrives."""
        session_id = f"T1.U1.{token}"
        session = await self.store.create(replace(a_session(), id=session_id, version=0))
        assert await self.store.load(session_id) == session
        await self.store.keep_image(session_id, ImageRef(1), "cGljdHVyZQ==")
        assert await self.store.load_image(session_id, ImageRef(1)) == "cGljdHVyZQ=="
        job = await self.queued(session_id)
        await reached(self.queue, job, JobState.DONE, TIMEOUT)
        assert session_id in self.ended
        await self._repeat(
            lambda: self.cancellations.send(session_id), lambda: session_id in self.heard
        )

    async def queued(self, session_id: str) -> Job:
        """Add a job, as often as the queue is out of reach."""
        job = generation(session_id)
        added: list[Job] = []

        async def add() -> None:
            with suppress(QueueUnavailable):
                await self.queue.add(job)
                added.append(job)

        await self._repeat(add, lambda: bool(added))
        return job

    async def _repeat(self, what: Callable[[], Awaitable[None]], done: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIMEOUT):
            while not done():
                await what()
                with suppress(TimeoutError):
                    await until(done, timeout=0.5)


@asynccontextmanager
async def in_use(url: str) -> AsyncIterator[InUse]:
    """A store, a queue, a worker and a listener on this Redis."""
    redis = redis_client(url, patience=TIMEOUT)
    store = RedisSessionStore(redis, session_ttl=600, image_ttl=60, patience=TIMEOUT)
    queue = BullJobQueue(url)
    using = InUse(store, RedisServer(redis, TIMEOUT), queue, RedisCancellations(redis))
    using.may_end.set()
    listening = asyncio.create_task(using.cancellations.listen(using.heard.append, lambda: None))
    try:
        async with working(url, using.handle):
            yield using
    finally:
        listening.cancel()
        await asyncio.wait({listening}, timeout=TIMEOUT)
        await queue.close()
        await redis.aclose()
