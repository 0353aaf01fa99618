from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import pytest

from bot.adapters.queue import BullJobQueue
from bot.domain.jobs import Job
from bot.ports import JobState
from tests.integration.queue_worker import (
    Recorder,
    generation,
    reached,
    reported,
    signal_server,
    until,
    worker_process,
    working,
)
from tests.support.processes import SHORT_LEASE


async def test_a_killed_workers_job_is_run_by_another(
    queue: BullJobQueue, queue_server: Any
) -> None:
    """While a worker that only blocks its loop for some seconds keeps its job."""
    url, handler = queue_server.connection_url, Recorder()
    lost, kept = generation("lost"), generation("kept")
    async with worker_process(url, seconds=60, lease=SHORT_LEASE) as victim:
        await queue.add(lost)
        assert await reported(victim) == f"started {lost.id}"
        victim.kill()
        killed = time.monotonic()
    async with worker_process(url, seconds=2, how="block", lease=SHORT_LEASE) as blocked:
        await queue.add(kept)
        assert await reported(blocked) == f"started {kept.id}"
        async with working(url, handler, lease=SHORT_LEASE):
            assert await reported(blocked) == f"ended {kept.id}"
            blocked.terminate()
            await until(lambda: bool(handler.ends))
    print("run again after", round(handler.times[0] - killed, 1), "s")  # noqa: T201
    assert handler.starts == {lost.id: 1}
    assert handler.times[0] - killed < SHORT_LEASE + 10


async def test_sigterm_ends_a_worker_cleanly_and_its_job_goes_on_elsewhere(
    queue: BullJobQueue, queue_server: Any
) -> None:
    url, handler = queue_server.connection_url, Recorder()
    async with worker_process(url, seconds=60, grace=0.5) as process:
        await queue.add(generation("one"))
        assert await reported(process) == "started generate-one-1-0"
        async with working(url, handler):
            terminated = time.monotonic()
            process.terminate()
            await until(lambda: bool(handler.ends))
            assert await process.wait() == 0
    assert handler.times[0] - terminated < 10  # its lease alone would last 15 s


@pytest.mark.parametrize("way", ["restarted", "frozen"])
async def test_jobs_outlive_redis_being_away_for_three_seconds(
    queue: BullJobQueue, queue_server: Any, way: str
) -> None:
    """Some jobs end while Redis is away, some after, and some start only then."""
    url = queue_server.connection_url
    endings = {"long": 3.6, "short": 1.0}
    starts: list[str] = []

    async def handler(job: Job, repeated: bool) -> None:
        starts.append(job.id)
        await asyncio.sleep(endings[job.session_id.split("-")[0]])

    jobs = [generation(f"{name}-{number}") for name in endings for number in range(5)]
    async with working(url, handler, 5), working(url, handler, 3):
        for job in jobs:
            await queue.add(job)
        await until(lambda: len(starts) == 8)
        await _take_away(queue_server, way, 3.0)
        for job in jobs:
            await reached(queue, job, JobState.DONE)
        late = generation("short-late")
        await queue.add(late)
        await reached(queue, late, JobState.DONE)
    assert sorted(starts) == sorted(job.id for job in [*jobs, late])


async def _take_away(server: Any, way: str, seconds: float) -> None:
    if way == "restarted":
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(server.start)
    else:
        signal_server(server, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        signal_server(server, signal.SIGCONT)
