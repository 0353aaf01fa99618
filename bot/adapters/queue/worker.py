"""`BullWorker`: running jobs from the queue."""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import RedisError

from bot.adapters.queue.connection import bullmq_client
from bot.adapters.queue.encoding import GENERATE_QUEUE, PUBLISH_QUEUE
from bot.adapters.queue.lane import Lane
from bot.adapters.queue.processor import Handler
from bot.concurrency import run_within

_LOG = logging.getLogger("bot.queue")
_PUBLISH_CONCURRENCY = 50
LEASE = 15.0
"""Seconds: long enough for Redis to restart, and short enough for the jobs of a dead worker."""


class BullWorker:
    """Gives each job to `handler`, up to `concurrency` generations at a time.

    A handler that raises is tried again, up to three times in all. A job may be given out twice:
    after its worker died, lost Redis for long, or was stopped in the middle of it.

    `lease` is the seconds after which a job whose worker is silent runs again elsewhere.
    """

    def __init__(
        self, redis_url: str, handler: Handler, concurrency: int, lease: float = LEASE
    ) -> None:
        self._redis_url = redis_url
        self._lanes = [
            Lane(redis_url, GENERATE_QUEUE, handler, concurrency, lease),
            Lane(redis_url, PUBLISH_QUEUE, handler, _PUBLISH_CONCURRENCY, lease),
        ]

    @property
    def takes_jobs(self) -> bool:
        """Whether every queue's loop is running, and was not told to stop."""
        return all(lane.takes_jobs for lane in self._lanes)

    async def run(self) -> None:
        """Until `stop`. Raises `LoopEnded` when the worker cannot be kept running."""
        await self._check_eviction()
        runs = [asyncio.create_task(lane.run()) for lane in self._lanes]
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
        await asyncio.gather(*(lane.stop(grace) for lane in self._lanes))

    async def _check_eviction(self) -> None:
        """A server that may evict keys may lose jobs."""
        redis = bullmq_client(self._redis_url)
        try:
            memory = await run_within(2.5, redis.info("memory"))
        except (TimeoutError, RedisError):
            return  # the lanes wait for Redis, and say so
        finally:
            await redis.aclose()
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            _LOG.warning(
                "Redis has maxmemory-policy %s, which can lose jobs: set noeviction", policy
            )
