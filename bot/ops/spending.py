"""The spending and the holds of all workspaces together, for the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.adapters.redis import RedisBooks
from bot.domain.costs import DOLLAR, day_of, month_of
from bot.ports import LimitsOf

AGES = {"minute": 60.0, "hour": 3600.0, "older": float("inf")}
"""The ages of holds, by the seconds that each ends at."""


class SpendingTotals(NamedTuple):
    """`dollars` of this month, holds included; `budget_used` is the largest part that a workspace
    has used of its budget, 0 where none has one; `holds` are how many there are, by `AGES`."""

    dollars: float
    budget_used: float
    holds: Counter[str]


class SpendingReader:
    """`now` answers seconds since the epoch; months are those of the `zone`."""

    def __init__(
        self, books: RedisBooks, limits: LimitsOf, zone: ZoneInfo, now: Callable[[], float]
    ) -> None:
        self._books = books
        self._limits = limits
        self._zone = zone
        self._now = now

    async def read(self) -> SpendingTotals:
        """Raises `StoreUnavailable`."""
        now = self._now()
        spent = await self._books.spent_by_workspaces(month_of(day_of(now, self._zone)))
        used = 0.0
        for team, micro in spent.items():
            if budget := (await self._limits(team, "", "")).workspace:
                used = max(used, micro / budget)
        times = await self._books.times_of_holds()
        holds = Counter(age_of(now - at) for at in times)
        return SpendingTotals(sum(spent.values()) / DOLLAR, used, holds)


def age_of(seconds: float) -> str:
    return next(age for age, ends in AGES.items() if seconds < ends)
