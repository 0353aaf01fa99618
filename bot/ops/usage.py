"""`python -m bot usage`: what was spent, from the ledger."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.adapters.redis import RedisBooks, redis_client
from bot.domain.costs import DOLLAR, CallState, day_of
from bot.domain.errors import ImagineError
from bot.ops.csv_cells import csv_cell
from bot.ports import LedgerLine
from bot.settings import Settings

PATIENCE = 30.0
"""Seconds for one page of the ledger."""
_SINCE_DAYS = 30

_KEYS: dict[str, Callable[[LedgerLine], str]] = {
    "user": lambda line: f"{line.team} {line.user}",
    "channel": lambda line: f"{line.team} {line.channel}",
    "day": lambda line: line.day,
    "model": lambda line: line.model or "unknown",
}


class NoRedis(ImagineError):
    """`REDIS_URL` is not set, so there is no ledger to read."""


@dataclass
class Row:
    """What one person, channel, day or model took. `estimated` are calls whose usage is not known,
    `unpriced` those of models without a price; they count $0."""

    name: str
    calls: int = 0
    estimated: int = 0
    unpriced: int = 0
    micro: int = 0
    tokens: Counter[str] = field(default_factory=Counter)

    def add(self, line: LedgerLine) -> None:
        self.calls += 1
        self.estimated += line.state == CallState.ESTIMATED
        self.unpriced += not line.priced
        self.micro += line.micro
        self.tokens.update(line.tokens)

    def cells(self) -> list[object]:
        tokens = sum(self.tokens.values())
        dollars = Decimal(self.micro) / DOLLAR
        return [self.name, self.calls, self.estimated, self.unpriced, tokens, f"{dollars:.6f}"]


HEADINGS = ("calls", "estimated", "unpriced", "tokens", "dollars")


def add_usage_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="DATE", help="the first day, such as 2026-11-01")
    parser.add_argument("--by", choices=list(_KEYS), default="user")
    parser.add_argument("--format", choices=["table", "csv", "json"], default="table")


async def usage(options: argparse.Namespace, settings: Settings) -> int:
    """Print the rows. Raises `ImagineError`."""
    url = settings.redis_url.get_secret_value()
    if not url:
        raise NoRedis("REDIS_URL is not set: the ledger is in Redis")
    since = options.since or day_of(time.time() - _SINCE_DAYS * 86_400, settings.zone)
    begins = first_moment(since, settings.zone)
    redis = redis_client(url, PATIENCE)
    books = RedisBooks(redis, ledger_ttl=settings.ledger_ttl, patience=PATIENCE)
    try:
        rows = await rows_of(books.lines(begins), options.by, since)
    finally:
        await redis.aclose()
    write_rows(rows, options.by, options.format, sys.stdout)
    return 0


def first_moment(day: str, zone: ZoneInfo) -> float:
    """When that day begins, in seconds since the epoch. Raises `ImagineError`."""
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=zone).timestamp()
    except ValueError:
        raise ImagineError(f"--since {day}: it must be a day such as 2026-11-01") from None


async def rows_of(lines: AsyncIterator[LedgerLine], by: str, since: str) -> list[Row]:
    """By what was spent, most first; days in their order, `since` the first. A measured line stands
    in the place of the estimated one of the same call."""
    newest: dict[str, LedgerLine] = {}
    async for line in lines:
        newest[line.id] = line
    rows: dict[str, Row] = {}
    for line in (line for line in newest.values() if line.day >= since):
        name = _KEYS[by](line)
        rows.setdefault(name, Row(name)).add(line)
    if by == "day":
        return sorted(rows.values(), key=lambda row: row.name)
    return sorted(rows.values(), key=lambda row: (-row.micro, row.name))


def write_rows(rows: Iterable[Row], by: str, form: str, out: TextIO) -> None:
    rows = list(rows)
    if form == "json":
        found = [
            dict(zip((by, *HEADINGS), row.cells(), strict=True))
            | {"micro_dollars": row.micro, "tokens_by_kind": dict(row.tokens)}
            for row in rows
        ]
        out.write(json.dumps(found, indent=2) + "\n")
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([by, *HEADINGS])
        writer.writerows([csv_cell(cell) for cell in row.cells()] for row in rows)
    else:
        _write_table(rows, by, out)


def _write_table(rows: list[Row], by: str, out: TextIO) -> None:
    total = Row("all together")
    for row in rows:
        total.calls += row.calls
        total.estimated += row.estimated
        total.unpriced += row.unpriced
        total.micro += row.micro
        total.tokens.update(row.tokens)
    lines = [[by, *HEADINGS], *([str(cell) for cell in row.cells()] for row in [*rows, total])]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        out.write("  ".join([first.ljust(widths[0]), *cells]) + "\n")
