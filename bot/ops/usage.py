"""`python -m bot usage`: what was spent, from the ledger."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import TextIO

from bot.adapters.redis import RedisBooks
from bot.domain.costs import day_of
from bot.domain.errors import ImagineError
from bot.domain.ledger import LedgerLine, UsageRow, UsageTable, add_lines
from bot.ops.startup import redis_of_command
from bot.settings import Settings
from bot.views.csv_cells import write_csv
from bot.views.usage_words import HEADINGS, usage_cells

PATIENCE = 10.0
"""Seconds for one page of the ledger."""
_SINCE_DAYS = 30
_FARTHEST_EAST = 14 * 3600
"""Seconds by which a time zone can be ahead of UTC."""

_KEYS: dict[str, Callable[[LedgerLine], str]] = {
    "user": lambda line: line.user,
    "channel": lambda line: line.channel,
    "day": lambda line: line.day,
    "model": lambda line: line.model or "unknown",
}


def add_usage_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="DATE", help="the first day, such as 2026-11-01")
    parser.add_argument("--team", help="the id of one workspace (usually all of them)")
    parser.add_argument("--by", choices=list(_KEYS), default="user")
    parser.add_argument("--format", choices=["table", "csv", "json"], default="table")


async def usage(options: argparse.Namespace, settings: Settings) -> int:
    """Print the rows. Raises `ImagineError`."""
    recently = day_of(time.time() - _SINCE_DAYS * 86_400, settings.zone)
    since = first_day(recently if options.since is None else options.since)
    async with redis_of_command(settings, PATIENCE) as redis:
        books = RedisBooks(redis, ledger_ttl=settings.ledger_ttl, patience=PATIENCE)
        team = options.team
        if team is not None and team not in await books.teams():
            raise ImagineError(f"--team {team}: there is no ledger of such a workspace")
        rows = await rows_of(books.lines(earliest_time(since), team or ""), options.by, since)
    write_rows(rows, options.by, options.format, sys.stdout)
    return 0


def first_day(text: str) -> str:
    """The day as the ledger writes it. Raises `ImagineError`."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise ImagineError(f"--since {text}: it must be a day such as 2026-11-01") from None


def earliest_time(day: str) -> float:
    """When that day begins in the first of all time zones, in seconds since the epoch: its lines
    may be from before a change of `TIMEZONE`."""
    return max(0.0, datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() - _FARTHEST_EAST)


async def rows_of(lines: AsyncIterator[LedgerLine], by: str, since: str) -> list[UsageRow]:
    """By what was spent, most first; days in their order, `since` the first."""
    table = UsageTable(_KEYS[by])
    await add_lines(lines, since, table)
    return table.rows(by_name=by == "day")


def write_rows(rows: Iterable[UsageRow], by: str, form: str, out: TextIO) -> None:
    """Every row tells its workspace; a table does where there are several."""
    rows = list(rows)
    headings = [by, *HEADINGS, "team"]
    if form == "json":
        found = [
            dict(zip(headings, _cells(row), strict=True))
            | {"micro_dollars": row.micro, "tokens_by_kind": dict(row.tokens)}
            for row in rows
        ]
        out.write(json.dumps(found, indent=2) + "\n")
    elif form == "csv":
        write_csv(out, headings, (_cells(row) for row in rows))
    else:
        _write_table(rows, headings, out)


def _cells(row: UsageRow) -> list[object]:
    return [*usage_cells(row), row.team]


def _write_table(rows: list[UsageRow], headings: list[str], out: TextIO) -> None:
    total = UsageRow("all together")
    for row in rows:
        total.calls += row.calls
        total.estimated += row.estimated
        total.unpriced += row.unpriced
        total.micro += row.micro
        total.tokens.update(row.tokens)
    lines = [headings, *([str(cell) for cell in _cells(row)] for row in [*rows, total])]
    if len({row.team for row in rows}) < 2:
        lines = [line[:-1] for line in lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        out.write("  ".join([first.ljust(widths[0]), *cells]).rstrip() + "\n")
