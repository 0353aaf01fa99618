"""`Lane`: the worker of one queue, replaced by another when its loop ends on its own."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from bot.adapters.queue.bullmq_worker import close, make_worker, settle, stop_loop
from bot.adapters.queue.connection import bullmq_client
from bot.adapters.queue.processor import Handler, Processor
from bot.concurrency import wait_for_event
from bot.domain.errors import ImagineError

_LOG = logging.getLogger("bot.queue")

_STEADY = 30.0
"""Seconds after which a loop that ended counts as having run well until then."""
_MAX_QUICK_ENDS = 5
_REST = 0.5
_UNDER_WAY = 3.0
"""Seconds for fetches under way to come to an end, and for cancelled jobs to be handed back."""


class LoopEnded(ImagineError):
    """A worker's loop ended again and again."""


class Lane:
    """A worker of BullMQ's is no good once its loop has ended: it renews no locks any more. So
    each loop gets a worker, a processor and connections of its own."""

    def __init__(
        self, redis_url: str, queue: str, handler: Handler, concurrency: int, lease: float
    ) -> None:
        self._redis_url = redis_url
        self._queue = queue
        self._handler = handler
        self._concurrency = concurrency
        self._lease = lease
        self._stopping = asyncio.Event()
        self._settled = asyncio.Event()
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
            await self._run_loops()
        finally:
            self._ended.set()

    async def _run_loops(self) -> None:
        clock = asyncio.get_running_loop().time
        quick_ends = 0
        while not self._stopping.is_set():
            started = clock()
            why = await self._run_loop()
            if self._stopping.is_set():
                return
            quick_ends = 1 if clock() - started > _STEADY else quick_ends + 1
            _LOG.error("the loop of %s ended (%s), %d in a row", self._queue, why, quick_ends)
            if quick_ends >= _MAX_QUICK_ENDS:
                raise LoopEnded(self._queue)
            await wait_for_event(self._stopping, _REST * quick_ends)

    async def _run_loop(self) -> str:
        """Run a worker until its loop ends, and answer what ended it."""
        redis = bullmq_client(self._redis_url)
        processor = Processor(self._handler)
        worker = make_worker(self._queue, redis, processor, self._concurrency, self._lease)
        loop = asyncio.create_task(worker.run(), name=f"loop of {self._queue}")
        settled = asyncio.create_task(self._settled.wait())
        self._current = (worker, processor)
        try:
            await asyncio.wait({loop, settled}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._current = None
            settled.cancel()
            await stop_loop(worker, loop)
            await close(worker, redis)
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
            if not await settle(worker, min(grace, _UNDER_WAY)) and worker.jobs:
                await settle(worker, grace - _UNDER_WAY)
            processor.interrupt()
            await settle(worker, _UNDER_WAY)
            self._settled.set()
        await self._ended.wait()
