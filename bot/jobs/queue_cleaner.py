"""Has the queue remove what finished jobs have left. Every worker does it, which does no harm."""

from __future__ import annotations

import logging

from bot.jobs.repeating import repeat_for_ever
from bot.ports import JobQueue

log = logging.getLogger(__name__)

INTERVAL = 60.0
"""Seconds. A pass is bounded, so a queue that has grown for long takes several."""


class QueueCleaner:
    """Cleans the queue at once, and then every `interval` seconds."""

    def __init__(self, queue: JobQueue, *, interval: float = INTERVAL) -> None:
        self._queue = queue
        self._interval = interval

    async def run(self) -> None:
        """Clean for ever."""
        await repeat_for_ever(self._clean, self._interval, log, "cleaning the queue", at_once=True)

    async def _clean(self) -> None:
        if removed := await self._queue.clean():
            log.info("%s finished jobs were removed from the queue", removed)
