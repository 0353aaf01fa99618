"""BullMQ's worker with our settings and our log. It starts nothing once it is paused, and never
blocks for longer than its socket timeout."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import bullmq.utils
import bullmq.worker
from bullmq.job import Job
from bullmq.worker import Worker
from redis.asyncio import Redis

from bot.adapters.queue.connection import assume_modern, socket_timeout
from bot.adapters.queue.job_queue import PREFIX, job_log_context
from bot.adapters.queue.processor import (
    HANDING_BACK,
    UNWINDING,
    JobFailed,
    Processor,
    hand_back,
)
from bot.adapters.redis_connections import unavailable
from bot.concurrency import cancel_and_wait
from bot.domain.errors import StoreTrouble

_LOG = logging.getLogger("bot.queue")
_DRAIN_DELAY = 5.0
_LOOK_FOR_STALLED = 0.3
"""Of a lease: how often a worker looks for jobs whose lease has ended."""

_LOOP_PASSES = 5
"""Passes of the event loop in which BullMQ takes up jobs that have just arrived; it needs three."""


class _Tracebacks:
    """Stands in for the module `traceback`, with which BullMQ writes exceptions and their texts to
    stderr. BullMQ emits most of them as an error event too."""

    @staticmethod
    def print_exc() -> None:
        _LOG.debug("BullMQ met an exception", exc_info=True)


for _module in (bullmq.utils, bullmq.worker):
    _module.traceback = _Tracebacks


class BullMQWorker(Worker):
    """Starts nothing once it is paused; ours never resumes."""

    async def getNextJob(self, token: str) -> Any:  # noqa: N802 - BullMQ's name
        """BullMQ would leave a job that arrives after `pause` locked, without running it."""
        if self.paused:
            return None
        job: Any = await super().getNextJob(token)
        if job is not None and self.paused:
            await hand_back(job, token)
            return None
        return job

    @property
    def maximumBlockTimeout(self) -> float:  # noqa: N802 - BullMQ's name
        """Seconds. BullMQ's own 10 s while a job is delayed would exceed the socket timeout."""
        return float(self.opts["drainDelay"])


def make_worker(
    queue: str, redis: Redis, processor: Processor, concurrency: int, lease: float
) -> Any:
    """A worker that does not run yet. It owns `redis` from now on."""
    untyped: Any = BullMQWorker
    worker = untyped(queue, processor.process, _options(redis, concurrency, lease))
    for connection in (worker.redisConnection, worker.blockingRedisConnection):
        assume_modern(connection)
    worker.on("error", _log_error)
    worker.on("failed", _log_failed)
    worker.on("stalled", _log_stalled)
    worker.on("lockRenewalFailed", _log_unrenewed)
    return worker


def _options(redis: Redis, concurrency: int, lease: float) -> dict[str, Any]:
    """`drainDelay` is seconds, the others are milliseconds.

    BullMQ renews a lease at half of its time. Blocking for as long as the socket timeout would
    break the connection every time.
    """
    return {
        "connection": redis,
        "prefix": PREFIX,
        "autorun": False,
        "concurrency": concurrency,
        "lockDuration": round(lease * 1000),
        "stalledInterval": round(lease * 1000 * _LOOK_FOR_STALLED),
        "maxStalledCount": 2,
        "drainDelay": min(_DRAIN_DELAY, socket_timeout(redis) / 2),
        "runRetryDelay": 1_000,
    }


async def wait_until_idle(worker: Any, seconds: float) -> bool:
    """Wait until the paused worker has nothing under way, `seconds` at most; answer whether it has
    nothing."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        for _ in range(_LOOP_PASSES):
            await asyncio.sleep(0)
        pending = {task for task in worker.processing if not task.done()}
        if not pending or clock() >= deadline:
            return not pending
        await asyncio.wait(pending, timeout=deadline - clock())


async def stop_loop(worker: Any, loop: asyncio.Future[None]) -> None:
    """End `worker.run()`, which cancels what is under way. It is told to end as well, because it
    would wait to be resumed for ever if the cancellation were dropped."""
    worker.paused = worker.closed = True
    worker.resume_event.set()
    fetches = [task for task in worker.processing if task.done() and not task.cancelled()]
    await cancel_and_wait(loop, unwinding=2 * (UNWINDING + HANDING_BACK))
    for fetch in fetches:
        await _hand_back_fetched(fetch)


async def _hand_back_fetched(fetch: asyncio.Future[Any]) -> None:
    """A job may have arrived just before the loop ended, and the loop has not seen it."""
    job = None if fetch.exception() else fetch.result()
    if isinstance(job, Job):
        await hand_back(job, str(job.token))


async def close_worker(worker: Any, redis: Redis) -> None:
    """Close a worker whose loop has ended, and wait for the tasks that BullMQ only cancels."""
    await worker.close(force=True)
    leftovers = set(worker.processing)
    if hasattr(worker, "stalledCheckTimer"):
        leftovers.add(worker.stalledCheckTimer._task)
    if leftovers:
        await asyncio.wait(leftovers, timeout=1.0)
    await redis.aclose()


def _log_error(error: Exception, job: Any = None) -> None:
    if str(error).startswith("could not renew lock"):
        return  # one for each job: `_log_unrenewed` has them all
    where = f"job {job.id}: " if job is not None else ""
    full = unavailable(error).trouble is not StoreTrouble.AWAY
    _LOG.log(logging.DEBUG if full else logging.ERROR, "%s%s", where, type(error).__name__)


def _log_failed(job: Any, error: Exception) -> None:
    attempts = job.opts.get("attempts", 1)
    why = str(error) if isinstance(error, JobFailed) else type(error).__name__
    with job_log_context(str(job.id)):
        _LOG.warning("job %s failed, try %d of %d: %s", job.id, job.attemptsMade, attempts, why)


def _log_stalled(job_id: str) -> None:
    with job_log_context(job_id):
        _LOG.warning("job %s lost its worker and waits again", job_id)


def _log_unrenewed(job_ids: list[str]) -> None:
    """After an outage these may be jobs that have just ended, as well as jobs that run twice."""
    _LOG.warning("the lease of %d jobs could not be renewed", len(job_ids))
