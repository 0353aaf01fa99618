"""How a process is told to end, and what it does meanwhile."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Sequence

from bot.domain.errors import ImagineError

log = logging.getLogger(__name__)

APART = 1.0
"""Seconds. A second signal within them is the same wish: Ctrl-C reaches a process from the
terminal, and once more from what started it."""


class WorkEnded(ImagineError):
    """Something that has to run for ever has ended."""


class Stopping:
    """`asked` is set by the first SIGTERM or SIGINT. `urgent` is set by a later one: nothing is
    waited for then that somebody else can take over."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.urgent = asyncio.Event()
        self._since = 0.0

    def on_signals(self) -> None:
        """Listen to the signals, in the running event loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.signalled)

    def signalled(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self.asked.is_set():
            self._since = now
            self.asked.set()
        elif now - self._since >= APART:
            log.info("stopping at once")
            self.urgent.set()

    def no_more_signals(self) -> None:
        """All is closed: a late signal is not to spoil the exit code of a process that ends."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    async def until_asked(self, endless: Sequence[asyncio.Task[None]]) -> None:
        """Raises `WorkEnded` where one of the tasks ends before that."""
        asked = asyncio.create_task(self.asked.wait())
        await asyncio.wait({asked, *endless}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            asked.cancel()
            for task in endless:
                if task.done() and not task.cancelled():
                    log.error("%s ended", task.get_name(), exc_info=task.exception())
            raise WorkEnded("the worker could not be kept running")
