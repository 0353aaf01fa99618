"""Taking turns at what needs much memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Lets `most` in at a time. A turn is a courtesy and no lock: whoever has waited for `patience`
    seconds goes on without one, so that what hangs does not hold up others for ever."""

    def __init__(self, most: int, patience: float) -> None:
        self._free = asyncio.Semaphore(most)
        self._patience = patience

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for as long as the body runs."""
        taken = await self._take()
        try:
            yield
        finally:
            if taken:
                self._free.release()

    async def _take(self) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                return await self._free.acquire()
        except TimeoutError:
            return False
