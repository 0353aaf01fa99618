"""Slack's requests that are in flight: those not acked yet, and those whose listener still runs.

The acks come first: Slack waits three seconds for one, and nobody waits to the millisecond for what
follows it. Of two hundred commands at once, the last is acked in half the time. And what follows an
ack is finished before the process ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bot.concurrency import wait_for_event

PATIENCE = 0.3
"""Seconds that the work behind an ack stands back at most, while more and more comes in."""


class InFlightRequests:
    """Those of one process."""

    def __init__(self) -> None:
        self._unacked = 0
        self._all_acked = asyncio.Event()
        self._listeners: set[asyncio.Task[object]] = set()

    def add(self) -> None:
        """One more waits for its ack."""
        self._unacked += 1
        self._all_acked.clear()

    def remove(self) -> None:
        """The ack of one is out, or never will be."""
        self._unacked -= 1
        if not self._unacked:
            self._all_acked.set()

    @contextmanager
    def listener_running(self) -> Iterator[None]:
        """The current task runs a listener until the end of the body."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("listeners run in tasks")
        self._listeners.add(task)
        try:
            yield
        finally:
            self._listeners.discard(task)

    async def wait_until_acked(self) -> None:
        """Wait until all are acked, for `PATIENCE` seconds at most."""
        if self._unacked:
            await wait_for_event(self._all_acked, PATIENCE)

    async def wait_until_finished(self, seconds: float) -> None:
        """Wait until no listener runs, for so many seconds at most."""
        if self._listeners:
            await asyncio.wait(self._listeners, timeout=seconds)
