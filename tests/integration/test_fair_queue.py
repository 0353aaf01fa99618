"""The fair queue after crashes: `repair` brings to its end what a killed process left half done."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.queue import BullJobQueue
from bot.adapters.queue.job_data import GENERATE_QUEUE, JOB_OPTIONS, PREFIX, job_data
from bot.domain.jobs import Job, JobKind
from bot.ports import JobState
from bot.sandbox import PATIENCE
from bot.work_slots import lend_slot
from tests.integration.queue_worker import Recorder, reached, until, working


def image(owner: str, idea: int, candidate: int = 1) -> Job:
    return Job(JobKind.GENERATE, f"T1.{owner}.{idea:02x}", 1, candidate=candidate)


@pytest.fixture
async def one_at_once(queue_server: Any) -> AsyncIterator[BullJobQueue]:
    queue = BullJobQueue(queue_server.connection_url, at_once=1)
    yield queue
    await queue.close()


async def admit(queue: BullJobQueue, *jobs: Job) -> None:
    """As by a process that died before it gave the jobs to BullMQ."""
    for job in jobs:
        await queue._fair.admit(job, json.dumps(job_data(job)))


async def test_what_was_released_and_not_added_runs_with_the_next_repair(
    one_at_once: BullJobQueue, queue_server: Any
) -> None:
    """A process that is only slow adds its job once more, which changes nothing."""
    queue, dead, slow = one_at_once, image("U1", 1), image("U2", 1)
    parked = image("U1", 2)
    await admit(queue, dead, parked, slow)
    assert await queue.state(dead) is JobState.WAITING
    await queue.repair()
    await queue.add(slow)
    assert await _added(queue) == {dead.id, slow.id}
    handler = Recorder()
    async with working(queue_server.connection_url, queue.in_turn(handler)):
        await queue.repair()
        for job in (dead, parked, slow):
            await reached(queue, job, JobState.DONE)
    assert handler.starts == {dead.id: 1, parked.id: 1, slow.id: 1}
    await _nothing_is_left(queue)


async def test_the_next_that_was_released_and_not_added_runs(
    one_at_once: BullJobQueue, queue_server: Any
) -> None:
    queue, first, second = one_at_once, image("U1", 1), image("U1", 2)
    await queue.add(first)
    await admit(queue, second)
    handler = Recorder()
    async with working(queue_server.connection_url, handler):  # it dies before the end is told
        await reached(queue, first, JobState.DONE)
    assert [each.job_id for each in await queue._fair.ended(first.id)] == [second.id]
    async with working(queue_server.connection_url, queue.in_turn(handler)):
        await queue.repair()
        await reached(queue, second, JobState.DONE)
    await _nothing_is_left(queue)


async def test_an_end_that_was_not_told_releases_the_next(
    one_at_once: BullJobQueue, queue_server: Any
) -> None:
    queue, first, second = one_at_once, image("U1", 1), image("U1", 2)
    await queue.add(first)
    await queue.add(second)
    async with working(queue_server.connection_url, Recorder()):
        await reached(queue, first, JobState.DONE)
        await queue.repair()
        await reached(queue, second, JobState.DONE)
        await queue.repair()
    await _nothing_is_left(queue)


async def test_a_failure_for_good_releases_the_next_at_the_first_repair(
    one_at_once: BullJobQueue, queue_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(JOB_OPTIONS, "attempts", 1)
    queue, first, second = one_at_once, image("U1", 1), image("U1", 2)
    await queue.add(first)
    await queue.add(second)

    async def fail(job: Job, repeated: bool) -> None:
        raise ValueError

    async with working(queue_server.connection_url, queue.in_turn(fail)):
        await reached(queue, first, JobState.FAILED)
        await queue.repair()
        await reached(queue, second, JobState.FAILED)
        await queue.repair()
    await _nothing_is_left(queue)


async def test_a_retry_keeps_its_place_and_its_owners_share(
    one_at_once: BullJobQueue, queue_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(JOB_OPTIONS, "backoff", {"type": "fixed", "delay": 300})
    queue, first, second = one_at_once, image("U1", 1), image("U1", 2)
    await queue.add(first)
    await queue.add(second)
    seen: list[str] = []

    async def fail_once(job: Job, repeated: bool) -> None:
        seen.append(job.id)
        if len(seen) == 1:
            raise ValueError

    async with working(queue_server.connection_url, queue.in_turn(fail_once)):
        await until(lambda: len(seen) == 1)
        await queue.repair()
        assert (await queue.waiting())[-1:] == [second]
        await reached(queue, second, JobState.DONE)
    assert seen == [first.id, first.id, second.id]
    await _nothing_is_left(queue)


async def test_a_cancelled_one_lets_the_next_go_wherever_it_waited(
    one_at_once: BullJobQueue, queue_server: Any
) -> None:
    queue, jobs = one_at_once, [image("U1", n) for n in range(4)]
    for job in jobs:
        await queue.add(job)
    for job in (jobs[2], jobs[0]):
        await queue.remove(job)
        await queue.remove(job)
        assert await queue.state(job) is JobState.GONE
    assert await queue.waiting() == [jobs[1], jobs[3]]
    handler = Recorder()
    async with working(queue_server.connection_url, queue.in_turn(handler)):
        await reached(queue, jobs[3], JobState.DONE)
    assert handler.starts == {jobs[1].id: 1, jobs[3].id: 1}
    await _nothing_is_left(queue)


async def test_more_run_at_once_where_the_limit_was_raised(
    one_at_once: BullJobQueue, queue_server: Any
) -> None:
    jobs = [image("U1", n) for n in range(4)]
    for job in jobs:
        await one_at_once.add(job)
    assert await _added(one_at_once) == {jobs[0].id}
    raised = BullJobQueue(queue_server.connection_url, at_once=3)
    await raised.repair()
    assert await _added(raised) == {job.id for job in jobs[:3]}
    await raised.close()
    unlimited = BullJobQueue(queue_server.connection_url)
    await unlimited.repair()
    assert await _added(unlimited) == {job.id for job in jobs}
    await unlimited.close()


async def test_priorities_that_started_anew_reach_all_that_wait(queue: BullJobQueue) -> None:
    """Also where the process that let them start anew has died on its way."""
    first, second = image("U1", 1), image("U2", 1)
    await queue._redis.hset(f"{PREFIX}:fair", "v", 2**20 - 10)
    await queue.add(first)
    await queue._fair.began(first.id)
    await queue.add(second)
    await queue._fair.rescale()
    await queue.repair()
    later = image("U3", 1)
    await queue.add(later)
    assert await _priorities(queue) == {first.id: 1, second.id: 1, later.id: 1}
    await queue._redis.hset(f"{PREFIX}:fair", "v", 2**20 + 2**20)
    last = image("U4", 1)
    await queue.add(last)
    assert (await queue.waiting())[-1] == last
    assert (await _priorities(queue))[last.id] < 10


async def test_priorities_start_anew_where_only_the_parked_are_released(
    one_at_once: BullJobQueue,
) -> None:
    """Of one person who is never done: all are admitted as parked ones."""
    queue, jobs = one_at_once, [image("U1", n) for n in range(3)]
    for job in jobs:
        await queue.add(job)
    await queue._fair.began(jobs[0].id)
    await queue._redis.hset(f"{PREFIX}:fair", mapping={"v": 2**20 + 5, "last:T1.U1": 2**20 + 5})
    await queue.remove(jobs[0])
    assert (await _priorities(queue))[jobs[1].id] > 2**20
    await queue.repair()
    assert await _priorities(queue) == {jobs[1].id: 4}


async def test_what_was_handed_back_is_the_next_and_one_of_an_older_version_too(
    queue: BullJobQueue,
) -> None:
    tagged = [image("U1", n) for n in range(2)]
    older = [image("U2", n) for n in range(2)]
    for job in tagged:
        await queue.add(job)
    for job in older:  # an older version gives them no priority
        await queue._queues[GENERATE_QUEUE].add("generate", job_data(job), {"jobId": job.id})
    assert await queue.waiting() == [*older, *tagged]
    await queue.repair()
    assert await queue.waiting() == [*older, *tagged]


async def test_the_parked_are_counted_and_stand_where_they_will_begin(
    one_at_once: BullJobQueue,
) -> None:
    mine, other = [image("U1", n) for n in range(3)], image("U2", 1)
    for job in (*mine, other):
        await one_at_once.add(job)
    assert await one_at_once.waiting() == [mine[0], other, mine[1], mine[2]]
    (depth, _) = await one_at_once.depths()
    assert depth.jobs["waiting"] == 4


@pytest.mark.parametrize("parked", [False, True])
async def test_where_one_will_stand_is_known_before_it_is_queued(
    queue: BullJobQueue, one_at_once: BullJobQueue, parked: bool
) -> None:
    """As one that waits for others of its owner, too."""
    chosen = one_at_once if parked else queue
    greedy = [image("GREEDY", n) for n in range(6)]
    for job in greedy:
        await chosen.add(job)
    await chosen._fair.began(greedy[0].id)
    for job in (image("OTHER", 1), image("GREEDY", 6), image("OTHER", 2), image("THIRD", 1)):
        foretold = (await chosen.waiting(job)).index(job)
        assert job not in await chosen.waiting()
        await chosen.add(job)
        assert (await chosen.waiting()).index(job) == foretold
        assert await chosen.waiting(job) == await chosen.waiting()


@pytest.mark.parametrize("old_worker", [True, False])
async def test_an_older_version_beside_this_one_loses_nothing_and_leaves_nothing(
    one_at_once: BullJobQueue, queue_server: Any, old_worker: bool
) -> None:
    """It knows no parked job, so its sweeper takes it for lost and queues its next run; its worker
    tells no end. It gives what it queues no priority."""
    queue, jobs = one_at_once, [image("U1", n) for n in range(3)]
    for job in jobs:
        await queue.add(job)
    swept = [job.again for job in jobs[1:]]
    for job in swept:
        data, options = job_data(job), {**JOB_OPTIONS, "jobId": job.id}
        await queue._queues[GENERATE_QUEUE].add("generate", data, options)
    assert sorted(job.id for job in await queue.waiting()) == sorted(
        job.id for job in [*jobs, *swept]
    )
    handler = Recorder()
    handle = handler if old_worker else queue.in_turn(handler)
    async with working(queue_server.connection_url, handle):
        async with asyncio.timeout(PATIENCE):
            while len(handler.ends) < 5:
                await queue.repair()
        for job in jobs:
            await reached(queue, job, JobState.DONE)
    await queue.repair()
    assert handler.starts == {job.id: 1 for job in [*jobs, *swept]}
    await _nothing_is_left(queue)


async def test_a_server_that_forgot_the_scripts_goes_on(
    one_at_once: BullJobQueue, queue_server: Any
) -> None:
    """As after a restart, with jobs that wait for others of their owner."""
    queue, jobs = one_at_once, [image("U1", n) for n in range(3)]
    for job in jobs:
        await queue.add(job)
    await queue._redis.script_flush()
    handler = Recorder()
    async with working(queue_server.connection_url, queue.in_turn(handler)):
        await reached(queue, jobs[2], JobState.DONE)
    assert handler.starts == {job.id: 1 for job in jobs}
    await _nothing_is_left(queue)


async def test_a_hundred_people_with_four_each_run_two_at_a_time_and_leave_nothing(
    queue_server: Any,
) -> None:
    queue = BullJobQueue(queue_server.connection_url, at_once=2)
    jobs = [image(f"U{owner}", n) for n in range(4) for owner in range(100)]
    for job in jobs:
        await queue.add(job)
    assert len(await _added(queue)) == 200
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def handle(job: Job, repeated: bool) -> None:
        owner = job.session_id.split(".")[1]
        running[owner] += 1
        most[owner] = max(most[owner], running[owner])
        await asyncio.sleep(0)
        running[owner] -= 1

    async with working(queue_server.connection_url, queue.in_turn(handle), concurrency=20):
        async with asyncio.timeout(PATIENCE):
            while await queue._redis.hlen(f"{PREFIX}:fair:jobs"):
                await asyncio.sleep(0.05)
    assert set(most) == {f"U{n}" for n in range(100)}
    assert max(most.values()) <= 2
    await _nothing_is_left(queue)
    await queue.close()


@pytest.mark.usefixtures("quick_retries")
async def test_the_next_of_an_owner_begins_once_the_image_of_the_one_before_is_there(
    one_at_once: BullJobQueue, queue_server: Any
) -> None:
    """What is left to do waits for Slack. A try that fails after its image begins again, and takes
    nobody's place."""
    queue, (first, second) = one_at_once, (image("U1", 1), image("U1", 2))
    starts, go_on = list[str](), asyncio.Event()

    async def handle(job: Job, repeated: bool) -> None:
        starts.append(job.id)
        lend_slot()
        if job == first and not repeated:
            await go_on.wait()
            raise RuntimeError("Slack is away")

    for job in (first, second):
        await queue.add(job)
    async with working(queue_server.connection_url, queue.in_turn(handle), concurrency=1):
        await reached(queue, second, JobState.DONE)
        assert await queue.state(first) is JobState.RUNNING
        await queue.add(first)
        await queue.repair()
        go_on.set()
        await reached(queue, first, JobState.DONE)
    assert starts == [first.id, second.id, first.id]
    await _nothing_is_left(queue)


async def test_a_paused_queue_keeps_its_order(one_at_once: BullJobQueue, queue_server: Any) -> None:
    queue, jobs = one_at_once, [image("U1", 1), image("U2", 1), image("U1", 2)]
    await queue._queues[GENERATE_QUEUE].pause()
    for job in jobs:
        await queue.add(job)
    await queue.repair()
    assert await queue.waiting() == jobs
    assert [await queue.state(job) for job in jobs] == [JobState.WAITING] * 3
    await queue._queues[GENERATE_QUEUE].resume()
    handler = Recorder()
    async with working(queue_server.connection_url, queue.in_turn(handler), concurrency=1):
        await reached(queue, jobs[2], JobState.DONE)
    assert list(handler.starts) == [job.id for job in jobs]


async def test_a_retry_of_what_has_its_image_goes_before_the_others_when_tags_start_anew(
    queue: BullJobQueue, monkeypatch: pytest.MonkeyPatch, queue_server: Any
) -> None:
    """Its owner's turn has ended, so that it has no tag any more, and keeps its old priority."""
    monkeypatch.setitem(JOB_OPTIONS, "backoff", {"type": "fixed", "delay": 60_000})
    made = image("U1", 1)
    await queue._redis.hset(f"{PREFIX}:fair", "v", 2**20 - 10)
    await queue.add(made)

    async def fail(job: Job, repeated: bool) -> None:
        lend_slot()
        raise ValueError

    delayed = queue._queues[GENERATE_QUEUE].getDelayed
    async with working(queue_server.connection_url, queue.in_turn(fail)):
        async with asyncio.timeout(PATIENCE):
            while not await delayed():
                await asyncio.sleep(0.02)
    await _nothing_is_left(queue)
    others = [image("U2", n) for n in range(3)]
    for job in others:
        await queue.add(job)
    await queue.repair()
    assert await queue._redis.hget(f"{PREFIX}:{GENERATE_QUEUE}:{made.id}", "priority") == "1"
    (retried,) = await delayed()
    await retried.promote()
    assert list((await _priorities(queue)).values()) == [1, 1, 5, 9]


async def _added(queue: BullJobQueue) -> set[str]:
    found: list[str] = await queue._queues[GENERATE_QUEUE].backend.getRanges(
        ["wait", "prioritized"], 0, -1, True
    )
    return set(found)


async def _priorities(queue: BullJobQueue) -> dict[str, int]:
    key = f"{PREFIX}:{GENERATE_QUEUE}:prioritized"
    scores: Any = await queue._redis.zrange(key, 0, -1, withscores=True)
    return {job_id: score // 2**32 for job_id, score in scores}


async def _nothing_is_left(queue: BullJobQueue) -> None:
    assert await queue._redis.keys(f"{PREFIX}:fair*") == []
