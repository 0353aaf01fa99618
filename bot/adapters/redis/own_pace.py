"""`LocalRateLimiter`: Slack's rate limits as one process keeps them, while Redis is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bot.domain.errors import SlackBusy
from bot.ports import Budget, Priority, Turn


class LocalRateLimiter:
    """The budgets of one process, without classes: first come, first served. Implements
    `bot.ports.RateLimiter`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used_up_until: dict[str, float] = {}

    async def take(
        self,
        budget: Budget,
        priority: Priority,
        patience: float | None = None,
        *,
        expected: str = "",
        owner: str = "",
    ) -> None:
        wait = self._wait(budget)
        if patience is not None and wait > patience:
            raise SlackBusy(wait)
        self.taken(budget)
        await asyncio.sleep(wait)

    async def took_within(self, budget: Budget, patience: float, at_most: float) -> bool:
        """Take a turn that comes within `at_most` seconds; else sleep so long. Raises `SlackBusy`
        like `take`."""
        wait = self._wait(budget)
        if wait > patience:
            raise SlackBusy(wait)
        if wait:
            await asyncio.sleep(min(wait, at_most))
        if took := not self._wait(budget):
            self.taken(budget)
        return took

    def taken(self, budget: Budget) -> None:
        """Count a call, also one that Redis allowed."""
        now = self._clock()
        for name, until in list(self._used_up_until.items()):
            if until < now:
                del self._used_up_until[name]
        start = max(now, self._used_up_until.get(budget.name, now))
        self._used_up_until[budget.name] = start + 1 / budget.per_second

    async def hold(self, budget: Budget, seconds: float) -> None:
        until = self._clock() + seconds + (budget.burst - 1) / budget.per_second
        self._used_up_until[budget.name] = max(until, self._used_up_until.get(budget.name, 0.0))

    async def wait(
        self, budget: Budget, priority: Priority, *, expected: str = "", owner: str = ""
    ) -> Turn:
        wait = self._wait(budget)
        return Turn(int(wait * budget.per_second), wait)

    def _wait(self, budget: Budget) -> float:
        now = self._clock()
        until = max(now, self._used_up_until.get(budget.name, now))
        return max(0.0, until - (budget.burst - 1) / budget.per_second - now)
