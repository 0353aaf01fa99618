"""How a process is told to end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Sequence

from bot.domain.errors import ImagineError

log = logging.getLogger(__name__)

SAME_SIGNAL_WITHIN = 1.0
"""Seconds. A second signal within them means the same: Ctrl-C reaches a process from the terminal,
and once more from the process that started it."""


class TaskEnded(ImagineError):
    """A task that has to run for ever has ended."""


class Shutdown:
    """The first SIGTERM or SIGINT sets `requested`. A later one sets `urgent`: then the process
    waits for nothing that another process can take over."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.urgent = asyncio.Event()
        self._requested_at = 0.0

    def listen_to_signals(self) -> None:
        """In the running event loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.signalled)

    def signalled(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self.requested.is_set():
            self._requested_at = now
            self.requested.set()
        elif now - self._requested_at >= SAME_SIGNAL_WITHIN:
            log.info("stopping at once")
            self.urgent.set()

    def ignore_signals(self) -> None:
        """All is closed: a late signal must not change the exit code of a process that ends."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    async def wait_until_requested(self, endless: Sequence[asyncio.Task[None]]) -> None:
        """Raises `TaskEnded` where one of the tasks ends before that."""
        requested = asyncio.create_task(self.requested.wait())
        await asyncio.wait({requested, *endless}, return_when=asyncio.FIRST_COMPLETED)
        if not requested.done():
            requested.cancel()
            for task in endless:
                if task.done() and not task.cancelled():
                    log.error("%s ended", task.get_name(), exc_info=task.exception())
            raise TaskEnded("the worker could not be kept running")
