from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from bot.adapters.queue import BullJobQueue
from bot.adapters.queue.connection import bullmq_client, socket_timeout
from bot.adapters.queue.job_data import job_data, job_from_data
from bot.domain.errors import QueueUnavailable
from bot.domain.jobs import Job, JobKind
from bot.ports import JobQueue, JobState
from tests.integration.queue_worker import (
    Recorder,
    announcement,
    generation,
    reached,
    signal_server,
    working,
)


@pytest.mark.parametrize("kind", JobKind)
def test_a_job_survives_its_encoding(kind: JobKind) -> None:
    job = Job(kind, "a-session-with-hyphens", 12, 3)
    assert job_from_data(job_data(job)) == job
    assert Job.from_id(job.id) == job


def test_that_a_job_gives_up_is_in_its_data_and_an_older_version_wrote_none() -> None:
    job = Job(JobKind.PUBLISH, "a-session", 1, 5, gives_up=True)
    data = job_data(job)
    assert job_from_data(data) == job
    del data["gives_up"]
    assert job_from_data(data) == Job(JobKind.PUBLISH, "a-session", 1, 5)


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:secret@host:6380/3",
        "rediss://me:secret@host:6380/3",
        "unix://me:secret@/run/redis.sock?db=3",
    ],
)
def test_every_kind_of_url_is_understood(url: str) -> None:
    client = bullmq_client(url)
    options = client.connection_pool.connection_kwargs
    assert (options["db"], options["username"], options["password"]) == (3, "me", "secret")
    assert socket_timeout(client) == 8


def test_the_query_of_the_url_wins() -> None:
    client = bullmq_client("redis://host?socket_timeout=3&max_connections=7&decode_responses=no")
    assert socket_timeout(client) == 3
    assert client.connection_pool.max_connections == 7
    assert client.connection_pool.connection_kwargs["decode_responses"] is True


async def test_a_job_waits_then_runs_then_is_done(queue: BullJobQueue, queue_server: Any) -> None:
    port: JobQueue = queue
    job = generation("one")
    assert await port.state(job) is JobState.GONE
    await port.add(job)
    assert await port.state(job) is JobState.WAITING
    end = asyncio.Event()
    async with working(queue_server.connection_url, Recorder(until=end)):
        await reached(queue, job, JobState.RUNNING)
        end.set()
        await reached(queue, job, JobState.DONE)


async def test_an_id_that_was_seen_is_not_run_again(queue: BullJobQueue, queue_server: Any) -> None:
    handler = Recorder()
    async with working(queue_server.connection_url, handler):
        await asyncio.gather(*(queue.add(generation("one")) for _ in range(20)))
        await reached(queue, generation("one"), JobState.DONE)
        await queue.add(generation("one"))
        await queue.add(generation("one", run=1))
        await reached(queue, generation("one", run=1), JobState.DONE)
    assert handler.starts == {"generate-one-1-0": 1, "generate-one-1-1": 1}


async def test_waiting_lists_generations_next_one_first(queue: BullJobQueue) -> None:
    jobs = [generation(f"session-{number}") for number in range(5)]
    for job in jobs:
        await queue.add(job)
    await queue.add(announcement("another"))
    assert await queue.waiting() == jobs


async def test_a_job_holds_nothing_but_what_names_it(
    queue: BullJobQueue, queue_server: Any
) -> None:
    await queue.add(generation("one"))
    redis = Redis.from_url(queue_server.connection_url, decode_responses=True)
    stored = await redis.hgetall("{imagine}:imagine-generate:generate-one-1-0")
    keys = await redis.keys()
    await redis.aclose()
    assert stored["data"] == '{"kind":"generate","session_id":"one","attempt":1,"run":0}'
    assert all(str(key).startswith("{imagine}:") for key in keys)


@pytest.mark.usefixtures("no_hurry")
async def test_many_callers_at_once_get_their_own_answers(queue: BullJobQueue) -> None:
    jobs = [generation(str(number)) for number in range(300)]
    await asyncio.gather(*(queue.add(job) for job in jobs))
    states = await asyncio.gather(*(queue.state(job) for job in jobs))
    assert set(states) == {JobState.WAITING}
    assert set(await queue.waiting()) == set(jobs)


@pytest.mark.usefixtures("no_hurry")
async def test_callers_that_give_up_do_not_disturb_the_others(queue: BullJobQueue) -> None:
    async def impatient(number: int) -> None:
        try:
            async with asyncio.timeout(0.0005 * (number % 20)):
                await queue.add(generation(f"impatient-{number}"))
        except TimeoutError:
            pass

    patient = [generation(f"patient-{number}") for number in range(200)]
    unknown = [announcement(f"unknown-{number}") for number in range(200)]
    await asyncio.gather(*map(impatient, range(200)), *map(queue.add, patient))
    states = await asyncio.gather(*map(queue.state, patient + unknown))
    assert states == [JobState.WAITING] * 200 + [JobState.GONE] * 200


@pytest.mark.parametrize("way", ["stopped", "frozen"])
async def test_an_add_while_redis_is_away_ends_soon_and_works_later(
    queue: BullJobQueue, queue_server: Any, way: str
) -> None:
    await queue.add(generation("before"))
    if way == "stopped":
        queue_server.stop()
    else:
        signal_server(queue_server, signal.SIGSTOP)
    tasks_before = len(asyncio.all_tasks())
    started = time.monotonic()
    jobs = [generation(f"away-{number}") for number in range(40)]
    outcomes = await asyncio.gather(*map(queue.add, jobs), return_exceptions=True)
    assert time.monotonic() - started < 15  # BullMQ's own patience is 30 s and more
    assert {type(outcome) for outcome in outcomes} == {QueueUnavailable}
    assert len(asyncio.all_tasks()) == tasks_before

    if way == "stopped":
        queue_server.start()
    else:
        signal_server(queue_server, signal.SIGCONT)
    await asyncio.gather(*map(queue.add, jobs))
    assert set(await asyncio.gather(*map(queue.state, jobs))) == {JobState.WAITING}
    assert await queue.state(generation("before")) is JobState.WAITING
    assert await queue.state(generation("never")) is JobState.GONE


async def test_what_stands_in_the_queues_is_read_in_one_round_trip(
    queue: BullJobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each person who waits, and each sweep, looks at it."""
    for job in (generation("sa"), generation("sb")):
        await queue.add(job)
    sent = 0
    send: Any = AbstractConnection.send_packed_command

    async def counted(*args: Any, **options: Any) -> None:
        nonlocal sent
        sent += 1
        await send(*args, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    for read in (queue.waiting, queue.live_ids, queue.repair):
        before = sent
        await read()
        assert sent == before + 1, read
