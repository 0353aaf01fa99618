"""The spending of a workspace, from the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from zoneinfo import ZoneInfo

from bot.domain.costs import day_of, month_of
from bot.domain.ledger import LedgerLine, UsageRow, UsageTable, add_lines
from bot.ports import Ledger

REPORT_WITHIN = 20.0
"""Seconds to read a month."""
_DAY = 86_400

BY: dict[str, Callable[[LedgerLine], str]] = {
    "person": lambda line: line.user,
    "channel": lambda line: line.channel,
    "day": lambda line: line.day,
    "model": lambda line: line.model or "unknown",
}


class UsageReports:
    """`now` answers seconds since the epoch; months are those of the `zone`."""

    def __init__(self, ledger: Ledger, zone: ZoneInfo, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._zone = zone
        self._now = now

    async def of_workspace(self, team: str) -> tuple[str, dict[str, list[UsageRow]]]:
        """This month, and what is settled of it by person, channel, day and model. Raises
        `TimeoutError` where the ledger is too long."""
        today = day_of(self._now(), self._zone)
        first = f"{month_of(today)}-01"
        tables = {by: UsageTable(name_of) for by, name_of in BY.items()}
        since = self._now() - (int(today[8:]) + 1) * _DAY
        async with asyncio.timeout(REPORT_WITHIN):
            await add_lines(self._ledger.lines(since, team), first, *tables.values())
        return month_of(today), {
            by: table.rows(by_name=by == "day") for by, table in tables.items()
        }
