from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.adapters.queue import BullJobQueue, BullWorker, processor
from bot.adapters.queue.bullmq_worker import BullMQWorker
from bot.adapters.queue.job_data import GENERATE_QUEUE
from bot.adapters.queue.supervised_worker import LoopEnded
from bot.adapters.redis import redis_client
from bot.adapters.redis.pace import RedisRateLimiter
from bot.domain.errors import SlackAppBlocked, SlackBusy, SlackUnavailable
from bot.domain.jobs import Job, JobKind
from bot.ports import Budget, JobState, Priority
from bot.sandbox import PATIENCE
from bot.work_slots import without_slot
from tests.integration.queue_worker import (
    Recorder,
    announcement,
    generation,
    reached,
    until,
    working,
)
from tests.support.metrics import Counted


@pytest.mark.usefixtures("no_hurry")
async def test_two_workers_share_the_jobs(queue: BullJobQueue, queue_server: Any) -> None:
    url = queue_server.connection_url
    both_busy = asyncio.Event()
    first, second = Recorder(until=both_busy), Recorder(until=both_busy)
    async with working(url, first, 5), working(url, second, 5):
        await asyncio.gather(*(queue.add(generation(str(number))) for number in range(60)))
        await until(lambda: first.starts.total() == second.starts.total() == 5)
        both_busy.set()
        await until(lambda: (first.ends + second.ends).total() == 60)
    assert set((first.starts + second.starts).values()) == {1}


async def test_a_job_that_comes_alone_is_fetched_once_and_asked_for_once_more(
    queue: BullJobQueue, queue_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a crowd that waits for Slack: each fetch takes a look at the provider's slots too."""
    looks = Counter[str]()
    look: Any = BullMQWorker.moveToActive

    async def counted(worker: BullMQWorker, token: str) -> Any:
        looks[worker.name] += 1
        return await look(worker, token)

    monkeypatch.setattr(BullMQWorker, "moveToActive", counted)
    async with working(queue_server.connection_url, Recorder()) as worker:
        await until(lambda: _waits(worker))
        for number in range(3):
            before = looks[GENERATE_QUEUE]
            await queue.add(job := generation(str(number)))
            await reached(queue, job, JobState.DONE)
            await until(lambda: _waits(worker))
            assert looks[GENERATE_QUEUE] - before == 2


def _waits(worker: BullWorker) -> bool:
    """Whether it waits for the next generation, with nothing under way."""
    of_queue = worker._workers[0]._current
    return of_queue is not None and bool(of_queue[0].waiting) and len(of_queue[0].processing) == 1


@pytest.mark.usefixtures("no_hurry")
async def test_hundreds_of_quick_jobs_run_once_each(queue: BullJobQueue, queue_server: Any) -> None:
    url, handler = queue_server.connection_url, Recorder()
    async with working(url, handler, 50), working(url, handler, 50):
        for first in range(0, 500, 100):
            numbers = range(first, first + 100)
            await asyncio.gather(*(queue.add(generation(str(number))) for number in numbers))
        await until(lambda: len(handler.ends) == 500)
    assert set(handler.starts.values()) == {1}


async def test_a_short_job_does_not_wait_for_long_ones(
    queue: BullJobQueue, queue_server: Any
) -> None:
    starts: dict[JobKind, float] = {}

    async def handler(job: Job, repeated: bool) -> None:
        starts[job.kind] = time.monotonic()
        if job.kind is JobKind.GENERATE:
            await asyncio.sleep(60)

    async with working(queue_server.connection_url, handler, 2):
        for number in range(4):
            await queue.add(generation(str(number)))
        await until(lambda: JobKind.GENERATE in starts)
        added = time.monotonic()
        await queue.add(announcement("short"))
        await queue.add(Job(JobKind.PUBLISH, "short", 1))
        await until(lambda: len(starts) == 3)
    assert max(starts.values()) - added < 10  # the long ones take a minute


@pytest.mark.usefixtures("no_hurry")
async def test_a_crowd_in_one_channel_does_not_hold_up_another(
    queue: BullJobQueue, queue_server: Any
) -> None:
    """As many announcements wait for their turn as a worker runs, and more."""
    url, shown = queue_server.connection_url, set[str]()
    async with redis_client(url, 5.0) as redis:
        pace = RedisRateLimiter(redis, "T1", 5.0)

        async def handler(job: Job, repeated: bool) -> None:
            await pace.take(Budget(job.session_id.partition("-")[0], 100.0), Priority.ROOT)
            shown.add(job.session_id)

        await pace.hold(Budget("crowded", 100.0), 600.0)
        async with working(url, handler):
            for number in range(120):
                await queue.add(announcement(f"crowded-{number}"))
            for number in range(3):
                await queue.add(announcement(f"quiet-{number}"))
                await queue.add(Job(JobKind.PUBLISH, f"quiet-p{number}", 1))
            await until(lambda: len(shown) == 6)
    assert all(name.startswith("quiet") for name in shown)


@pytest.mark.usefixtures("no_hurry")
async def test_generations_that_wait_for_slack_lend_as_many_slots_as_there_are(
    queue: BullJobQueue, queue_server: Any
) -> None:
    starts, go_on = list[str](), asyncio.Event()

    async def handler(job: Job, repeated: bool) -> None:
        starts.append(job.session_id)
        with without_slot(60.0):
            await go_on.wait()

    async with working(queue_server.connection_url, handler, 3):
        for number in range(9):
            await queue.add(generation(str(number)))
        await until(lambda: len(starts) == 6)
        await queue.add(announcement("other"))
        await until(lambda: "other" in starts)
        assert len(starts) == 7
        go_on.set()
        await until(lambda: len(starts) == 10)


@pytest.mark.usefixtures("quick_retries")
async def test_a_job_that_keeps_failing_is_tried_three_times(
    queue: BullJobQueue, queue_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    times: list[float] = []

    async def handler(job: Job, repeated: bool) -> None:
        times.append(time.monotonic())
        raise ValueError("the prompt of a person")

    job = generation("one")
    with caplog.at_level(logging.INFO, "bot.queue"):
        async with working(queue_server.connection_url, handler):
            await queue.add(job)
            await until(lambda: len(times) == 1)
            await reached(queue, job, JobState.WAITING)
            assert await queue.waiting() == [job]
            await reached(queue, job, JobState.FAILED)
    first, second = (later - earlier for earlier, later in pairwise(times))
    assert 0.6 < first < 1.2 < second < 2.4  # 0.7 s and 1.3 s, and what a busy machine adds
    assert "job generate-one-1-0 failed, try 3 of 3: ValueError" in caplog.text
    assert "prompt" not in caplog.text
    redis = Redis.from_url(queue_server.connection_url, decode_responses=True)
    stored = await redis.hgetall("{imagine}:imagine-generate:generate-one-1-0")
    await redis.aclose()
    assert stored["failedReason"] == "ValueError"
    assert "prompt" not in str(stored)


async def test_a_job_waits_while_slack_refuses_the_app_and_no_try_is_counted(
    queue: BullJobQueue, queue_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "PUT_OFF", 0.05)
    errors = [SlackAppBlocked("chat.update", "token_revoked")] * 6

    async def handler(job: Job, repeated: bool) -> None:
        if errors:
            raise errors.pop()

    job = announcement("one")
    async with working(queue_server.connection_url, handler):
        await queue.add(job)
        await reached(queue, job, JobState.DONE)
    assert not errors


async def test_a_job_that_gives_up_waits_for_slack_however_long_that_takes(
    queue: BullJobQueue, queue_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "PUT_OFF", 0.2)
    times: list[float] = []
    errors = [SlackUnavailable("away"), SlackBusy(0.6), *[SlackUnavailable("away")] * 3]

    async def handler(job: Job, repeated: bool) -> None:
        times.append(time.monotonic())
        if errors:
            raise errors.pop(0)

    job = replace(announcement("one"), gives_up=True)
    counted = Counted()
    async with working(queue_server.connection_url, handler):
        await queue.add(job)
        await until(lambda: len(times) == 3)
        assert (await queue.state(job)).live
        await reached(queue, job, JobState.DONE)
    away, busy, *_ = (later - earlier for earlier, later in pairwise(times))
    assert (away > 0.19, busy > 0.59, len(times)) == (True, True, 6)
    changed = counted.changed("imagine_jobs_total")
    assert sum(n for series, n in changed.items() if "put_off" in series) == 5
    assert not [series for series in changed if "failed" in series]


@pytest.mark.usefixtures("quick_retries")
async def test_another_job_that_finds_slack_away_has_failed(
    queue: BullJobQueue, queue_server: Any
) -> None:
    async def handler(job: Job, repeated: bool) -> None:
        raise SlackUnavailable("away")

    async with working(queue_server.connection_url, handler):
        await queue.add(announcement("one"))
        await reached(queue, announcement("one"), JobState.FAILED)


@pytest.mark.usefixtures("quick_retries")
async def test_a_handler_that_is_cancelled_from_within_has_failed(
    queue: BullJobQueue, queue_server: Any
) -> None:
    runs: list[Job] = []

    async def handler(job: Job, repeated: bool) -> None:
        runs.append(job)
        if len(runs) == 1:
            raise asyncio.CancelledError

    async with working(queue_server.connection_url, handler):
        await queue.add(generation("one"))
        await reached(queue, generation("one"), JobState.DONE)
    assert len(runs) == 2


async def test_stop_waits_for_short_jobs_and_starts_no_more(
    queue: BullJobQueue, queue_server: Any
) -> None:
    handler = Recorder(1.0)
    worker = BullWorker(queue_server.connection_url, handler, 3)
    run = asyncio.create_task(worker.run())
    jobs = [generation(str(number)) for number in range(9)]
    for job in jobs:
        await queue.add(job)
    await until(lambda: len(handler.starts) == 3)
    await worker.stop(grace=5)
    await run
    assert len(handler.ends) == 3
    assert [await queue.state(job) for job in jobs[:3]] == [JobState.DONE] * 3
    assert await queue.waiting() == jobs[3:]


async def test_a_stop_at_any_moment_leaves_no_job_behind(
    queue: BullJobQueue, queue_server: Any
) -> None:
    """A job that was being fetched would stay locked, and a stop amid the start would hang."""
    jobs = [generation(str(number)) for number in range(300)]
    await asyncio.gather(*map(queue.add, jobs))
    redis = Redis.from_url(queue_server.connection_url)
    handler = Recorder(0.005)
    for moment in range(12):
        async with asyncio.timeout(PATIENCE), working(queue_server.connection_url, handler, 20):
            await asyncio.sleep(0.008 * moment)
        assert await redis.llen("{imagine}:imagine-generate:active") == 0
    async with working(queue_server.connection_url, handler, 20):
        await until(lambda: bool(handler.starts))
    assert await redis.llen("{imagine}:imagine-generate:active") == 0
    await redis.aclose()
    assert await _states(queue, jobs) <= {JobState.WAITING, JobState.DONE}


async def _states(queue: BullJobQueue, jobs: list[Job]) -> set[JobState]:
    return {await queue.state(job) for job in jobs}


async def test_a_job_that_outlasts_the_grace_is_run_by_another_worker_at_once(
    queue: BullJobQueue, queue_server: Any
) -> None:
    url, slow, quick = queue_server.connection_url, Recorder(60), Recorder()
    stopped = BullWorker(url, slow, 3)
    run = asyncio.create_task(stopped.run())
    jobs = [generation(str(number)) for number in range(5)]
    for job in jobs:
        await queue.add(job)
    await until(lambda: len(slow.starts) == 3)
    await stopped.stop(grace=0.5)
    await run
    assert set((await queue.waiting())[:3]) == set(jobs[:3])
    started = time.monotonic()
    async with working(url, quick):
        await until(lambda: len(quick.ends) == 5)
    assert quick.times[-1] - started < 10  # its lease alone would last 15 s
    assert not slow.ends


async def test_being_handed_back_is_no_failed_try(queue: BullJobQueue, queue_server: Any) -> None:
    url = queue_server.connection_url
    await queue.add(generation("one"))
    for _ in range(4):
        slow = Recorder(60)
        async with working(url, slow):
            await until(lambda: bool(slow.starts))  # noqa: B023 - awaited in the same round
    redis = Redis.from_url(url, decode_responses=True)
    stored = await redis.hgetall("{imagine}:imagine-generate:generate-one-1-0")
    await redis.aclose()
    assert stored["atm"] == "0"
    assert await queue.state(generation("one")) is JobState.WAITING


async def test_a_handler_that_ignores_its_end_does_not_keep_the_worker(
    queue: BullJobQueue, queue_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.queue.supervised_worker._END_WITHIN", 0.3)
    monkeypatch.setattr("bot.adapters.queue.processor.UNWINDING", 0.3)
    started, release = asyncio.Event(), asyncio.Event()

    async def stubborn(job: Job, repeated: bool) -> None:
        started.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    worker = BullWorker(queue_server.connection_url, stubborn, 1)
    run = asyncio.create_task(worker.run())
    await queue.add(generation("one"))
    await started.wait()
    before = time.monotonic()
    await worker.stop(grace=0)
    await run
    assert time.monotonic() - before < 10
    assert await queue.state(generation("one")) is JobState.RUNNING  # until its lease ends
    release.set()


async def test_stop_before_run_and_stop_twice_are_harmless(queue_server: Any) -> None:
    worker = BullWorker(queue_server.connection_url, Recorder(), 1)
    await worker.stop(0)
    await worker.run()
    await worker.stop(0)


async def test_cancelling_run_hands_jobs_back(queue: BullJobQueue, queue_server: Any) -> None:
    handler = Recorder(60)
    run = asyncio.create_task(BullWorker(queue_server.connection_url, handler, 1).run())
    await queue.add(generation("one"))
    await until(lambda: bool(handler.starts))
    run.cancel()
    await asyncio.wait({run})
    assert run.cancelled()
    assert await queue.state(generation("one")) is JobState.WAITING


async def test_a_loop_that_ends_is_started_again(queue: BullJobQueue, queue_server: Any) -> None:
    handler = Recorder(2.0)
    async with working(queue_server.connection_url, handler):
        await queue.add(generation("one"))
        await until(lambda: bool(handler.starts))
        for task in asyncio.all_tasks():
            if task.get_name() == f"loop of {GENERATE_QUEUE}":
                task.cancel()
        await reached(queue, generation("one"), JobState.DONE, timeout=2 * PATIENCE)
    assert handler.starts.total() == 2
    assert handler.ends.total() == 1


async def test_a_loop_that_keeps_ending_ends_the_worker(
    queue_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(worker: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("bot.adapters.queue.bullmq_worker.BullMQWorker.run", broken)
    monkeypatch.setattr("bot.adapters.queue.supervised_worker._PAUSE", 0.01)
    with pytest.raises(LoopEnded):
        await BullWorker(queue_server.connection_url, Recorder(), 1).run()


async def test_an_evicting_server_is_a_line_in_the_log(
    queue_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    redis = Redis.from_url(queue_server.connection_url)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    await redis.aclose()
    async with working(queue_server.connection_url, Recorder()):
        await until(lambda: "allkeys-lru" in caplog.text)
