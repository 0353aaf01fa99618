"""A BullMQ worker whose loop is begun again where it ends by itself."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from bullmq.job import Job
from redis.asyncio import Redis

from bot.adapters.queue.bullmq_worker import make_worker
from bot.adapters.queue.connection import bullmq_client
from bot.adapters.queue.job_queue import Handler
from bot.adapters.queue.processor import HANDING_BACK, UNWINDING, Processor, hand_back
from bot.concurrency import cancel_and_wait, wait_for_event
from bot.domain.errors import ImagineError
from bot.ports import ProviderSlots

_LOG = logging.getLogger("bot.queue")

_STEADY_AFTER = 30.0
"""Seconds after which a loop that ended counts as having run well until then."""


_MAX_QUICK_ENDS = 5


_PAUSE = 0.5
"""Seconds before the next worker, for each quick end in a row."""


_END_WITHIN = 3.0
"""Seconds for fetches under way to come to an end, and for cancelled jobs to be handed back."""


_LOOP_PASSES = 5
"""Passes of the event loop in which BullMQ takes up jobs that have just arrived; it needs three."""


class LoopEnded(ImagineError):
    """A worker's loop ended again and again."""


class SupervisedWorker:
    """The worker of one queue, replaced by another when its loop ends on its own.

    A worker of BullMQ's is of no use once its loop has ended: it renews no locks any more. So each
    loop gets a worker, a processor and connections of its own.
    """

    def __init__(
        self,
        redis_url: str,
        queue: str,
        handler: Handler,
        concurrency: int,
        lease: float,
        slots: ProviderSlots | None = None,
        most_lent: int = 0,
    ) -> None:
        self._redis_url = redis_url
        self._queue = queue
        self._most_lent = most_lent
        self._handler = handler
        self._concurrency = concurrency
        self._lease = lease
        self._slots = slots
        self._stopping = asyncio.Event()
        self._handed_back = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._current: tuple[Any, Processor] | None = None

    @property
    def takes_jobs(self) -> bool:
        return self._current is not None and not self._stopping.is_set()

    async def run(self) -> None:
        """Until `stop`. Raises `LoopEnded` when loops keep ending soon after their start."""
        self._ended.clear()
        try:
            await self._supervise()
        finally:
            self._ended.set()

    async def _supervise(self) -> None:
        clock = asyncio.get_running_loop().time
        quick_ends = 0
        while not self._stopping.is_set():
            started = clock()
            why = await self._run_loop()
            if self._stopping.is_set():
                return
            quick_ends = 1 if clock() - started > _STEADY_AFTER else quick_ends + 1
            _LOG.error("the loop of %s ended (%s), %d in a row", self._queue, why, quick_ends)
            if quick_ends >= _MAX_QUICK_ENDS:
                raise LoopEnded(self._queue)
            await wait_for_event(self._stopping, _PAUSE * quick_ends)

    async def _run_loop(self) -> str:
        """Run one worker until its loop ends, and answer what ended it."""
        redis = bullmq_client(self._redis_url)
        processor = Processor(self._handler, self._slots)
        worker = make_worker(
            self._queue, redis, processor, self._concurrency, self._lease, self._most_lent
        )
        loop = asyncio.create_task(worker.run(), name=f"loop of {self._queue}")
        handed_back = asyncio.create_task(self._handed_back.wait())
        self._current = (worker, processor)
        try:
            await asyncio.wait({loop, handed_back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._current = None
            handed_back.cancel()
            await stop_loop(worker, loop)
            await close_worker(worker, redis)
        error = None if loop.cancelled() else loop.exception()
        return type(error).__name__ if error else "no error"

    async def stop(self, grace: float) -> None:
        """Take no new jobs, let the running ones finish for `grace` seconds, hand back the rest.

        The worker is paused meanwhile, because it renews locks then; closed, it would not.
        """
        self._stopping.set()
        if self._current is not None:
            worker, processor = self._current
            await worker.pause(True)
            if not await wait_until_idle(worker, min(grace, _END_WITHIN)) and worker.jobs:
                await wait_until_idle(worker, grace - _END_WITHIN)
            processor.interrupt()
            await wait_until_idle(worker, _END_WITHIN)
            self._handed_back.set()
        await self._ended.wait()


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
    await worker.give_back_leases(*worker.leases)
    await redis.aclose()
