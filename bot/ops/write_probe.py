"""`WriteProbe`: tries every few seconds whether the store takes a small change."""

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

_STEADY_AFTER = 5
"""Changes in a row that the store takes before the trouble counts as over."""

REFUSED = {
    StoreTrouble.FULL: "Redis is full: nothing new is generated until it has room (maxmemory)",
    StoreTrouble.READ_ONLY: (
        "Redis takes no changes: nothing new is generated until it does (INFO persistence, "
        "INFO replication)"
    ),
}
"""The troubles in which Redis answers, in words for the operator."""


class WriteProbe:
    """`write` makes the change. The calls that fail log a store that is away."""

    def __init__(self, write: Callable[[], Awaitable[None]]) -> None:
        self._write = write
        self.trouble: StoreTrouble | None = None
        """Why the store did not take the last change; None where it did."""
        self._logged: StoreTrouble | None = None
        self._taken = 0

    def is_free_of(self, trouble: StoreTrouble) -> bool:
        return self.trouble is not trouble

    async def repeat(self) -> None:
        """For ever."""
        while True:
            await self.try_once()
            await asyncio.sleep(INTERVAL * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def try_once(self) -> None:
        """Change something, and tell whether the store took it."""
        try:
            await self._write()
            self.trouble = None
        except StoreUnavailable as error:
            self.trouble = error.trouble
        for trouble in REFUSED:
            STORE_REFUSES.labels(trouble.value).set(self.trouble is trouble)
        self._log()

    def _log(self) -> None:
        """Once when the trouble begins and once when it has ended: a full store takes a small
        change now and then."""
        if self.trouble in REFUSED:
            self._taken = 0
            if self.trouble is not self._logged:
                self._logged = self.trouble
                log.error("%s", REFUSED[self.trouble])
        elif self.trouble is None and self._logged is not None:
            self._taken += 1
            if self._taken == _STEADY_AFTER:
                self._logged = None
                log.warning("Redis takes changes again")
