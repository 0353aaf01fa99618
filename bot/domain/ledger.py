"""Lines of the ledger, and what they come to by person, channel, day or model."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.domain.costs import CallState
from bot.domain.limits import Standing


class LedgerLine(NamedTuple):
    """One paid call. `at` is seconds since the epoch, `state` is `measured` or `estimated`, `day`
    and `month` are those of the reservation. `tokens` are by kind."""

    id: str
    at: float
    team: str
    user: str
    channel: str
    day: str
    month: str
    model: str
    size: str
    quality: str
    state: str
    micro: int
    priced: bool
    prices: str
    tokens: dict[str, int]


@dataclass
class UsageRow:
    """The images and cost of one person, channel, day or model in the workspace `team`. `estimated`
    are calls whose usage is not known, `unpriced` those of models without a price; what these took
    counts $0."""

    name: str
    team: str = ""
    calls: int = 0
    estimated: int = 0
    unpriced: int = 0
    micro: int = 0
    tokens: Counter[str] = field(default_factory=Counter)

    def add(self, line: LedgerLine, sign: int = 1) -> None:
        """A `sign` of -1 takes the line out again."""
        self.calls += sign
        self.estimated += sign * (line.state == CallState.ESTIMATED)
        self.unpriced += sign * (not line.priced)
        self.micro += sign * line.micro
        for kind, count in line.tokens.items():
            self.tokens[kind] += sign * count


class UsageTable:
    """Rows by workspace, and by what `name_of` answers of a line."""

    def __init__(self, name_of: Callable[[LedgerLine], str]) -> None:
        self._name_of = name_of
        self._rows: dict[tuple[str, str], UsageRow] = {}

    def add(self, line: LedgerLine, sign: int = 1) -> None:
        name, team = self._name_of(line), line.team
        self._rows.setdefault((name, team), UsageRow(name, team)).add(line, sign)

    def rows(self, *, by_name: bool = False) -> list[UsageRow]:
        """By what was spent, most first; or by name, which is the order of days."""
        rows = [row for row in self._rows.values() if row.calls]
        return sorted(rows, key=lambda row: (0 if by_name else -row.micro, row.name, row.team))


async def add_lines(lines: AsyncIterator[LedgerLine], since: str, *tables: UsageTable) -> None:
    """Put the lines into the tables, `since` the first day. A measured line stands in the place of
    the estimated one of the same call."""
    estimated: dict[str, LedgerLine] = {}
    async for line in lines:
        if line.day < since:
            continue
        replaced = estimated.pop(line.id, None)
        if line.state == CallState.ESTIMATED:
            estimated[line.id] = line
        for table in tables:
            if replaced:
                table.add(replaced, -1)
            table.add(line)


class OwnUsage(NamedTuple):
    """The usage of one person: images by day, the newest last, and micro-dollars of the `month`;
    both count what is still being made. `standings` are the limits that are set."""

    images: dict[str, int]
    month: str
    micro: int
    standings: list[Standing]
