"""Whether the store takes changes: a small one is tried every few seconds."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from bot.domain.errors import StoreTrouble, StoreUnavailable
from bot.telemetry.metrics import STORE_REFUSES

log = logging.getLogger(__name__)

INTERVAL = 2.0
"""Seconds, of which each pause takes between a half and all."""

_ENOUGH = 5
"""Changes in a row that are taken before it counts as over."""

REFUSED = {
    StoreTrouble.FULL: "Redis is full: nothing new is generated until it has room (maxmemory)",
    StoreTrouble.READ_ONLY: (
        "Redis takes no changes: nothing new is generated until it does (INFO persistence, "
        "INFO replication)"
    ),
}
"""The troubles in which Redis answers, in words for whoever runs it."""


class WriteProbe:
    """`write` makes the change. A store that is away is told of elsewhere."""

    def __init__(self, write: Callable[[], Awaitable[None]]) -> None:
        self._write = write
        self.trouble: StoreTrouble | None = None
        """What kept the last one from being taken."""
        self._said: StoreTrouble | None = None
        self._taken = 0

    def is_free_of(self, trouble: StoreTrouble) -> bool:
        return self.trouble is not trouble

    async def repeat(self) -> None:
        """For ever."""
        while True:
            await self.try_once()
            await asyncio.sleep(INTERVAL * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def try_once(self) -> None:
        self.trouble = await self._outcome()
        for trouble in REFUSED:
            STORE_REFUSES.labels(trouble.value).set(self.trouble is trouble)
        self._log()

    def _log(self) -> None:
        """Once when it begins and once when it has ended: a full store takes small things now and
        then."""
        if self.trouble in REFUSED:
            self._taken = 0
            if self.trouble is not self._said:
                self._said = self.trouble
                log.error("%s", REFUSED[self.trouble])
        elif self.trouble is None and self._said is not None:
            self._taken += 1
            if self._taken == _ENOUGH:
                self._said = None
                log.warning("Redis takes changes again")

    async def _outcome(self) -> StoreTrouble | None:
        try:
            await self._write()
        except StoreUnavailable as error:
            return error.trouble
        return None
