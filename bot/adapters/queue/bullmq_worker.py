"""What BullMQ runs: its worker with our settings and our log. It starts nothing once it is paused,
and never blocks for longer than its socket timeout."""

from __future__ import annotations

import logging
from typing import Any

import bullmq.utils
import bullmq.worker
from bullmq.worker import Worker
from redis.asyncio import Redis

from bot.adapters.queue.connection import assume_modern, socket_timeout
from bot.adapters.queue.job_data import PREFIX, job_log_context
from bot.adapters.queue.processor import JobFailed, Processor, hand_back
from bot.adapters.redis_connections import unavailable
from bot.domain.errors import StoreTrouble
from bot.ports import ProviderSlots

_LOG = logging.getLogger("bot.queue")
_DRAIN_DELAY = 5.0
_LOOK_FOR_STALLED = 0.3
"""Of a lease: how often a worker looks for jobs whose lease has ended."""


class _Tracebacks:
    """Stands in for the module `traceback`, with which BullMQ writes exceptions and their texts to
    stderr. BullMQ emits most of them as an error event too."""

    @staticmethod
    def print_exc() -> None:
        _LOG.debug("BullMQ met an exception", exc_info=True)


for _module in (bullmq.utils, bullmq.worker):
    _module.traceback = _Tracebacks


class BullMQWorker(Worker):
    """Starts nothing once it is paused; ours never resumes. With `slots`, it takes one of the
    provider's before each job."""

    slots: ProviderSlots | None = None

    async def getNextJob(self, token: str) -> Any:  # noqa: N802 - BullMQ's name
        """BullMQ would leave a job that arrives after `pause` locked, without running it."""
        if self.slots is None:
            return await self._next_job(token)
        lease = await self.slots.take(lambda: self.paused)
        if lease is None:
            return None
        job = None
        try:
            job = await self._next_job(token)
        finally:
            if job is None:
                await self.slots.give_back(lease)
            else:
                job.lease = lease
        return job

    async def _next_job(self, token: str) -> Any:
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
    worker.slots = processor.slots
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
