"""Taking a job out of the queue: only one that waits, and whatever else happens to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.adapters.queue import BullJobQueue
from bot.adapters.queue.job_data import GENERATE_QUEUE, PUBLISH_QUEUE, QUEUE_OF
from bot.domain.errors import QueueUnavailable
from bot.domain.jobs import Job, JobKind
from bot.ports import JobQueue, JobState
from tests.integration.queue_worker import (
    Recorder,
    announcement,
    generation,
    reached,
    until,
    working,
)


def settlement(session: str) -> Job:
    return Job(JobKind.SHOW_CANCELLED, session, 1)


@pytest.mark.parametrize("kind", JobKind)
async def test_a_removed_job_does_not_run(
    queue: BullJobQueue, queue_server: Any, kind: JobKind
) -> None:
    port: JobQueue = queue
    removed, other = Job(kind, "removed", 1), Job(kind, "other", 1)
    await port.add(removed)
    await port.add(other)
    await port.remove(removed)
    assert await port.state(removed) is JobState.GONE
    handler = Recorder()
    async with working(queue_server.connection_url, handler):
        await reached(queue, other, JobState.DONE)
    assert handler.starts == {other.id: 1}


async def test_those_behind_a_removed_job_move_up(queue: BullJobQueue) -> None:
    jobs = [generation(str(number)) for number in range(3)]
    for job in jobs:
        await queue.add(job)
    await queue.remove(jobs[1])
    assert await queue.waiting() == [jobs[0], jobs[2]]


async def test_a_removed_job_leaves_nothing_and_can_be_queued_anew(
    queue: BullJobQueue, queue_server: Any
) -> None:
    job = generation("one")
    await queue.add(job)
    await queue.remove(job)
    redis: Any = Redis.from_url(queue_server.connection_url, decode_responses=True)
    assert [key async for key in redis.scan_iter(f"*{job.id}*")] == []
    await redis.aclose()
    await queue.add(job)
    assert await queue.waiting() == [job]


@pytest.mark.usefixtures("quick_retries")
async def test_a_job_that_waits_for_its_next_try_is_removed(
    queue: BullJobQueue, queue_server: Any
) -> None:
    tries: list[str] = []

    async def failing(job: Job, repeated: bool) -> None:
        tries.append(job.id)
        raise ValueError

    job, after = generation("one"), generation("after")
    async with working(queue_server.connection_url, failing):
        await queue.add(job)
        await until(lambda: bool(tries))
        await reached(queue, job, JobState.WAITING)
        await queue.remove(job)
        assert await queue.state(job) is JobState.GONE
        await queue.add(after)  # its own second try comes after the first one's would have
        await until(lambda: tries.count(after.id) == 2)
    assert tries.count(job.id) == 1


async def test_a_job_that_runs_is_left_alone(queue: BullJobQueue, queue_server: Any) -> None:
    started, release = asyncio.Event(), asyncio.Event()
    ended: list[Job] = []

    async def handler(job: Job, repeated: bool) -> None:
        started.set()
        await release.wait()
        ended.append(job)

    job = generation("one")
    async with working(queue_server.connection_url, handler):
        await queue.add(job)
        await started.wait()
        await queue.remove(job)
        assert await queue.state(job) is JobState.RUNNING
        release.set()
        await reached(queue, job, JobState.DONE)
    assert ended == [job]


async def test_a_finished_job_is_left_alone_so_that_its_id_stays_seen(
    queue: BullJobQueue, queue_server: Any
) -> None:
    handler = Recorder()
    job, next_job = generation("one"), generation("next")
    async with working(queue_server.connection_url, handler):
        await queue.add(job)
        await reached(queue, job, JobState.DONE)
        await queue.remove(job)
        assert await queue.state(job) is JobState.DONE
        await queue.add(job)
        await queue.add(next_job)
        await reached(queue, next_job, JobState.DONE)
    assert handler.starts == {job.id: 1, next_job.id: 1}


async def test_a_job_that_the_queue_never_saw_is_no_error(queue: BullJobQueue) -> None:
    await queue.add(generation("other"))
    for kind in JobKind:
        await queue.remove(Job(kind, "unknown", 1))
    assert await queue.waiting() == [generation("other")]


async def test_removing_twice_and_by_many_at_once_is_harmless(queue: BullJobQueue) -> None:
    jobs = [generation(str(number)) for number in range(20)]
    await asyncio.gather(*map(queue.add, jobs))
    await asyncio.gather(*map(queue.remove, jobs[:10] * 3))
    assert set(await queue.waiting()) == set(jobs[10:])


async def test_jobs_removed_while_workers_take_them_run_to_their_end_or_not_at_all(
    queue: BullJobQueue, queue_server: Any
) -> None:
    handler = Recorder(0.01)
    jobs = [generation(str(number)) for number in range(60)]
    last = generation("last")
    async with working(queue_server.connection_url, handler, 2):
        await asyncio.gather(*map(queue.add, jobs))
        await asyncio.gather(*map(queue.remove, reversed(jobs)))
        await queue.add(last)
        await reached(queue, last, JobState.DONE)
    assert handler.starts == handler.ends
    assert set(handler.starts.values()) == {1}
    assert {await queue.state(job) for job in jobs} <= {JobState.GONE, JobState.DONE}


async def test_removing_while_redis_is_away_says_so(queue: BullJobQueue, queue_server: Any) -> None:
    await queue.add(generation("one"))
    queue_server.stop()
    with pytest.raises(QueueUnavailable):
        await queue.remove(generation("one"))
    queue_server.start()
    await queue.remove(generation("one"))
    assert await queue.waiting() == []


# what is shown after a cancel


async def test_only_generations_share_the_lane_of_the_long_jobs() -> None:
    assert QUEUE_OF.keys() == set(JobKind)
    assert {kind for kind, name in QUEUE_OF.items() if name == GENERATE_QUEUE} == {JobKind.GENERATE}
    assert QUEUE_OF[JobKind.SHOW_CANCELLED] == PUBLISH_QUEUE


async def test_a_settlement_does_not_wait_for_the_generations_before_it(
    queue: BullJobQueue, queue_server: Any
) -> None:
    started = asyncio.Event()
    settled: list[Job] = []

    async def handler(job: Job, repeated: bool) -> None:
        if job.kind is JobKind.GENERATE:
            started.set()
            await asyncio.sleep(60)
        else:
            settled.append(job)

    async with working(queue_server.connection_url, handler, 1):
        await queue.add(generation("one"))
        await started.wait()
        await queue.add(generation("two"))
        await queue.add(settlement("one"))
        await until(lambda: settled == [settlement("one")])
        assert await queue.waiting() == [generation("two")]
        await queue.add(announcement("three"))
        await until(lambda: len(settled) == 2)
