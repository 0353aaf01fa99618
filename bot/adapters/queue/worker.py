"""`BullWorker`: runs jobs from the queues, and keeps a worker for each running."""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import RedisError

from bot.adapters.queue.connection import bullmq_client
from bot.adapters.queue.job_data import GENERATE_QUEUE, PUBLISH_QUEUE
from bot.adapters.queue.job_queue import Handler
from bot.adapters.queue.supervised_worker import SupervisedWorker
from bot.concurrency import run_within
from bot.ports import ProviderSlots

_LOG = logging.getLogger("bot.queue")
_PUBLISH_CONCURRENCY = 50
_PUBLISH_LENT = 1_000
"""Slots that jobs lend to others while they wait for their turn in a busy channel. A waiting
generation holds an image, so as many slots of generations are lent as there are, and no more."""
LEASE = 15.0
"""Seconds: long enough for Redis to restart, and short enough for the jobs of a dead worker."""


class BullWorker:
    """Gives each job to `handler`, up to `concurrency` generations at a time.

    A handler that raises is tried again, up to three times in all. A job may be given out twice:
    after its worker died, lost Redis for long, or was stopped in the middle of it.

    `lease` is the seconds after which a job whose worker is silent runs again elsewhere. A
    generation needs one of the provider's `slots`.
    """

    def __init__(
        self,
        redis_url: str,
        handler: Handler,
        concurrency: int,
        lease: float = LEASE,
        slots: ProviderSlots | None = None,
    ) -> None:
        self._redis_url = redis_url
        self._workers = [
            SupervisedWorker(
                redis_url, GENERATE_QUEUE, handler, concurrency, lease, slots, concurrency
            ),
            SupervisedWorker(
                redis_url,
                PUBLISH_QUEUE,
                handler,
                _PUBLISH_CONCURRENCY,
                lease,
                most_lent=_PUBLISH_LENT,
            ),
        ]

    @property
    def takes_jobs(self) -> bool:
        """Whether every queue's loop is running, and was not told to stop."""
        return all(worker.takes_jobs for worker in self._workers)

    async def run(self) -> None:
        """Until `stop`. Raises `LoopEnded` when the worker cannot be kept running."""
        await self._check_eviction()
        runs = [asyncio.create_task(worker.run()) for worker in self._workers]
        try:
            done, _ = await asyncio.wait(runs, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for run in runs:
                run.cancel()  # once: a second time would cancel their cleaning up
            await asyncio.wait(runs)
        for run in done:
            run.result()

    async def stop(self, grace: float) -> None:
        """Start no new jobs, let running ones finish for up to `grace` seconds, then cancel and
        hand back the others, so that another worker can start them at once.

        Returns after `run` has let go of Redis; at most some seconds after `grace`.
        """
        await asyncio.gather(*(worker.stop(grace) for worker in self._workers))

    async def _check_eviction(self) -> None:
        """A server that may evict keys may lose jobs."""
        redis = bullmq_client(self._redis_url)
        try:
            memory = await run_within(2.5, redis.info("memory"))
        except (TimeoutError, RedisError):
            return  # the workers wait for Redis, and say so
        finally:
            await redis.aclose()
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            _LOG.warning(
                "Redis has maxmemory-policy %s, which can lose jobs: set noeviction", policy
            )
