"""What is counted about Redis, on a real server: stages, sessions, errors, jobs and queues."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from typing import Any

import pytest
from redis import exceptions
from redis.asyncio import Redis

from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import RedisServer, RedisSessionStore, redis_client
from bot.adapters.redis.schema import session_key
from bot.adapters.redis_errors import kind_of
from bot.domain import begin, transitions
from bot.domain.attempt import ImageRef
from bot.domain.errors import Conflict, QueueUnavailable, StoreUnavailable
from bot.domain.jobs import Job
from bot.domain.refusals import Refusal
from bot.domain.stages import Stage
from bot.ports import JobState
from tests.fakes import ID, OWNER, PROMPT, a_session
from tests.integration.queue_worker import (
    Recorder,
    announcement,
    generation,
    reached,
    signal_server,
    until,
    valkey,
    working,
)
from tests.support.metrics import Counted
from tests.support.processes import free_port

NEW = a_session(Stage.INITIAL_INPUT)


def store_on(redis: Redis, patience: float = 5.0) -> RedisSessionStore:
    return RedisSessionStore(redis, session_ttl=600, image_ttl=60, patience=patience)


@pytest.fixture
async def store(redis: Any) -> RedisSessionStore:
    return store_on(redis)


def stages(counted: Counted) -> dict[str, float]:
    return {
        stage.value: entered
        for stage in Stage
        if (entered := counted.of("imagine_stage_changes_total", stage=stage.value))
    }


async def test_each_stage_counts_when_a_session_enters_it(store: RedisSessionStore) -> None:
    counted = Counted()
    await store.create(NEW)
    await store.create(NEW)  # delivered twice
    assert stages(counted) == {"initial_input": 1}
    await store.update(ID, lambda s: begin.submit(s, PROMPT, 1.0))
    await store.update(ID, lambda s: replace(s, root_ts="1.0", thread_ts="1.0"))
    await store.update(ID, lambda s: s)
    assert stages(counted) == {"initial_input": 1, "generating": 1}


async def test_a_stage_that_many_reach_for_is_entered_once(store: RedisSessionStore) -> None:
    await store.create(a_session(Stage.USER_FEEDBACK))
    counted = Counted()

    async def approve() -> None:
        await store.update(ID, lambda s: transitions.approve(s, ImageRef(1), OWNER, 1.0))

    outcomes = await asyncio.gather(*(approve() for _ in range(10)), return_exceptions=True)
    assert len([o for o in outcomes if isinstance(o, Refusal | Conflict)]) == 9
    assert stages(counted) == {"final": 1}


async def test_the_census_counts_every_session_once(store: RedisSessionStore, redis: Any) -> None:
    there = [Stage.FINAL] * 700 + [Stage.GENERATING] * 3 + [*Stage] * 2
    for number, stage in enumerate(there):
        key = session_key(f"T{number % 7}.U{number % 40}.{number:06x}")
        await redis.hset(key, "stage", stage.value)
    await store.create(NEW)
    await store.keep_image(ID, ImageRef(1), "not a session")
    await redis.hset("imagine:{T1}:session:U9.abc", "stage", "a stage of a newer version")
    assert await RedisServer(redis, 5.0).census() == {
        Stage.FINAL: 702,
        Stage.GENERATING: 5,
        Stage.USER_FEEDBACK: 2,
        Stage.INITIAL_INPUT: 3,
    }


async def test_a_census_of_nothing(redis: Any) -> None:
    assert await RedisServer(redis, 5.0).census() == dict.fromkeys(Stage, 0)


async def test_a_store_that_is_away_counts_and_a_refusal_does_not(redis_url: str) -> None:
    counted = Counted()
    with valkey() as server:
        client = redis_client(server.connection_url, patience=0.3)
        store = store_on(client, patience=0.3)
        with pytest.raises(Refusal):
            await store.load(ID)
        assert counted.changed("imagine_store_errors") == {}
        signal_server(server, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailable):
                await store.load(ID)
            with pytest.raises(StoreUnavailable):
                await RedisServer(client, 0.3).census()
        finally:
            signal_server(server, signal.SIGCONT)
        await client.aclose()
    assert counted.changed("imagine_store_errors") == {"imagine_store_errors_total kind=timeout": 2}


async def test_a_queue_that_is_away_counts_too() -> None:
    counted = Counted()
    queue = BullJobQueue(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(QueueUnavailable):
        await queue.depths()
    await queue.close()
    assert sum(counted.changed("imagine_store_errors").values()) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (exceptions.TimeoutError(PROMPT), "timeout"),
        (exceptions.ConnectionError(PROMPT), "connection"),
        (exceptions.BusyLoadingError(PROMPT), "connection"),
        (ConnectionResetError(PROMPT), "connection"),
        (exceptions.AuthenticationError(PROMPT), "refused"),
        (exceptions.NoPermissionError(PROMPT), "refused"),
        (exceptions.ReadOnlyError(PROMPT), "refused"),
        (exceptions.OutOfMemoryError(PROMPT), "refused"),
    ],
)
def test_an_error_of_redis_has_one_of_three_kinds(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


@pytest.mark.usefixtures("quick_retries")
async def test_the_depths_say_what_waits_runs_and_failed(
    queue: BullJobQueue, queue_server: Any
) -> None:
    empty = await queue.depths()
    assert [depth.queue for depth in empty] == ["generate", "publish"]
    nothing = {"waiting": 0, "delayed": 0, "active": 0, "failed": 0}
    assert all(depth.jobs == nothing and depth.oldest_seconds == 0 for depth in empty)

    gate, broken = asyncio.Event(), announcement("broken")
    recorder = Recorder(until=gate)

    async def handler(job: Job, repeated: bool) -> None:
        if job == broken:
            raise ValueError("no")
        await recorder(job, repeated)

    async with working(queue_server.connection_url, handler, 2):
        for number in range(5):
            await queue.add(generation(str(number)))
        await queue.add(broken)
        await until(lambda: recorder.starts.total() == 2)
        await reached(queue, broken, JobState.WAITING)
        generate, publish = await queue.depths()
        assert generate.jobs == {**nothing, "waiting": 3, "active": 2}
        assert publish.jobs == {**nothing, "delayed": 1}
        await reached(queue, broken, JobState.FAILED)
        _, publish = await queue.depths()
        assert publish.jobs == {**nothing, "failed": 1}
        gate.set()


async def test_the_age_is_that_of_the_job_whose_turn_is_next(
    queue: BullJobQueue, queue_server: Any
) -> None:
    for name in ("first", "second"):
        await queue.add(generation(name))
    async with Redis.from_url(queue_server.connection_url) as redis:
        for name, age in (("first", 100), ("second", 40)):
            key = f"{{imagine}}:imagine-generate:{generation(name).id}"
            await redis.hset(key, "timestamp", str(int((time.time() - age) * 1000)))
    generate, publish = await queue.depths()
    assert 100 <= generate.oldest_seconds < 160
    assert publish.oldest_seconds == 0
    await queue.remove(generation("first"))
    generate, _ = await queue.depths()
    assert 40 <= generate.oldest_seconds < 100


@pytest.mark.usefixtures("quick_retries")
async def test_each_run_of_a_job_counts_by_how_it_ended(
    queue: BullJobQueue, queue_server: Any
) -> None:
    counted, good, bad = Counted(), announcement("good"), announcement("bad")

    async def handler(job: Job, repeated: bool) -> None:
        if job == bad and not repeated:
            raise ValueError(PROMPT)

    async with working(queue_server.connection_url, handler):
        await queue.add(good)
        await queue.add(bad)
        await reached(queue, good, JobState.DONE)
        await reached(queue, bad, JobState.DONE)
    assert counted.changed("imagine_jobs_total") == {
        "imagine_jobs_total kind=announce outcome=done": 2,
        "imagine_jobs_total kind=announce outcome=failed": 1,
    }
    assert counted.of("imagine_job_seconds_count", kind="announce") == 3


async def test_what_a_stopped_worker_gives_back_is_counted_as_such(
    queue: BullJobQueue, queue_server: Any
) -> None:
    counted, recorder = Counted(), Recorder(until=asyncio.Event())
    async with working(queue_server.connection_url, recorder):
        await queue.add(generation("long"))
        await until(lambda: recorder.starts.total() == 1)
    assert counted.changed("imagine_jobs_total") == {
        "imagine_jobs_total kind=generate outcome=handed_back": 1
    }
    assert counted.of("imagine_job_seconds_count", kind="generate") == 0
    assert await queue.state(generation("long")) is JobState.WAITING


async def test_what_cannot_be_given_back_is_abandoned(
    queue: BullJobQueue, queue_server: Any
) -> None:
    counted, recorder = Counted(), Recorder(until=asyncio.Event())
    async with working(queue_server.connection_url, recorder):
        await queue.add(generation("long"))
        await until(lambda: recorder.starts.total() == 1)
        async with Redis.from_url(queue_server.connection_url) as redis:  # another worker has it
            await redis.set(f"{{imagine}}:imagine-generate:{generation('long').id}:lock", "other")
    assert counted.changed("imagine_jobs_total") == {
        "imagine_jobs_total kind=generate outcome=abandoned": 1
    }


async def test_a_worker_takes_jobs_from_its_start_to_its_end(
    queue: BullJobQueue, queue_server: Any
) -> None:
    async with working(queue_server.connection_url, Recorder()) as worker:
        await until(lambda: worker.takes_jobs)
    assert not worker.takes_jobs
