"""Has the queue remove what finished jobs have left. Every worker does it, which does no harm."""

from __future__ import annotations

import asyncio
import logging

from bot.domain.errors import ImagineError
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
        while True:
            try:
                if removed := await self._queue.clean():
                    log.info("%s finished jobs were removed from the queue", removed)
            except ImagineError as error:
                log.warning("cleaning the queue put off: %s", type(error).__name__)
            await asyncio.sleep(self._interval)
