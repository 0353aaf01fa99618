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
from bot.adapters.redis_errors import unavailable
from bot.domain.errors import StoreTrouble
from bot.ports import ProviderSlots
from bot.work_slots import WorkSlots

_LOG = logging.getLogger("bot.queue")
_DRAIN_DELAY = 5.0
_LOOK_FOR_STALLED = 0.3
"""Of a lease: how often a worker looks for jobs whose lease has ended."""

_FETCHES = 2
"""How many jobs a worker fetches at the same time, once one was there without waiting for it."""


class _Tracebacks:
    """Stands in for the module `traceback`, with which BullMQ writes exceptions and their texts to
    stderr. BullMQ emits most of them as an error event too."""

    @staticmethod
    def print_exc() -> None:
        _LOG.debug("BullMQ met an exception", exc_info=True)


for _module in (bullmq.utils, bullmq.worker):
    _module.traceback = _Tracebacks


class _Options(dict[str, Any]):
    """BullMQ's options; the concurrency is what the worker says at that moment."""

    worker: BullMQWorker

    def get(self, key: str, default: Any = None) -> Any:
        return self.worker.most_under_way if key == "concurrency" else super().get(key, default)


class BullMQWorker(Worker):
    """Starts nothing once it is paused; ours never resumes. Each job has a slot of `work`, and with
    `slots`, one of the provider's."""

    work: WorkSlots
    slots: ProviderSlots | None = None
    leases: set[str]
    """The leases of its fetches and jobs. BullMQ fails a job that has ended too many workers
    without running it, and may cancel one before it begins."""
    _fetching = 0
    _found = _has_more = False
    """Whether the last fetch has found a job, and the one before it too."""

    @property
    def most_under_way(self) -> int:
        """Jobs and fetches. Left alone, BullMQ begins a fetch for each job that could run, whenever
        one ends or comes: most of them find nothing. The fetches that there are wait for a slot."""
        return self.work.taken - self._fetching + (_FETCHES if self._has_more else 1)

    async def pause(self, do_not_wait_active: bool = False) -> None:
        await super().pause(do_not_wait_active)
        self.work.look_again()

    async def getNextJob(self, token: str) -> Any:  # noqa: N802 - BullMQ's name
        if not await self.work.take(lambda: bool(self.paused)):
            return None
        job = None
        self._fetching += 1
        try:
            job = await self._job_with_lease(token)
        finally:
            self._fetching -= 1
            if job is None:
                self.work.give_back()
        return job

    async def processJob(self, job: Any, token: str) -> None:  # noqa: N802 - BullMQ's name
        try:
            with self.work.lending():
                await super().processJob(job, token)
        finally:
            self.work.give_back()
            await self.give_back_leases(getattr(job, "lease", None))

    async def _job_with_lease(self, token: str) -> Any:
        if self.slots is None:
            return await self._next_job(token)
        lease = await self.slots.take(lambda: self.paused)
        if lease is None:
            return None
        self.leases.add(lease)
        job = None
        try:
            job = await self._next_job(token)
        finally:
            if job is None:
                await self.give_back_leases(lease)
            else:
                job.lease = lease
        return job

    async def give_back_leases(self, *leases: str | None) -> None:
        for lease in leases:
            if lease in self.leases and self.slots is not None:
                self.leases.discard(lease)
                await self.slots.give_back(lease)

    async def _next_job(self, token: str) -> Any:
        """BullMQ would leave a job that arrives after `pause` locked, without running it."""
        if self.paused:
            return None
        job: Any = await super().getNextJob(token)
        self._note(job is not None)
        if job is not None and self.paused:
            await hand_back(job, token)
            return None
        return job

    def _note(self, is_found: bool) -> None:
        """BullMQ's script leaves its marker with each job that it gives out. After the first job
        the next fetch takes that marker, and so learns whether there are more; left alone, BullMQ
        would look for one beforehand, and once more for the marker."""
        self._found, self._has_more = is_found, is_found and self._found
        if is_found and not self._has_more:
            self.drained = True

    @property
    def maximumBlockTimeout(self) -> float:  # noqa: N802 - BullMQ's name
        """Seconds. BullMQ's own 10 s while a job is delayed would exceed the socket timeout."""
        return float(self.opts["drainDelay"])


def make_worker(
    queue: str,
    redis: Redis,
    processor: Processor,
    concurrency: int,
    lease: float,
    most_lent: int = 0,
) -> Any:
    """A worker that does not run yet. It owns `redis` from now on. Beside `concurrency` jobs,
    `most_lent` may wait for their turn with Slack."""
    untyped: Any = BullMQWorker
    worker = untyped(queue, processor.process, _options(redis, concurrency, lease))
    worker.slots, worker.leases = processor.slots, set()
    worker.work = WorkSlots(concurrency, most_lent)
    worker.opts = _Options(worker.opts)
    worker.opts.worker = worker
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
    full = unavailable(error).trouble in (StoreTrouble.FULL, StoreTrouble.READ_ONLY)
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
