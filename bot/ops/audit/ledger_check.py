"""`LedgerCheck` compares the record with the books beside it: no call is paid for, and no image
counted, that no entry asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.adapters.redis import RedisBooks
from bot.domain.errors import StoreBroken
from bot.domain.record import RecordKind, entry_facts
from bot.domain.seals import RecordEntry
from bot.domain.session_ids import SessionId
from bot.ops.usage import earliest_time


class LedgerCheck:
    """Reads the ledger first, then takes all entries."""

    def __init__(self, calls: dict[tuple[str, int], str]) -> None:
        self._calls = calls

    @classmethod
    async def read(cls, books: RedisBooks, team: str, since: float) -> LedgerCheck:
        """`since` is seconds since the epoch: the entries of older calls may be gone."""
        calls = {}
        async for line in books.lines(since, team):
            if attempt := _attempt_of(line.id):
                calls[attempt] = line.id
        return cls(calls)

    def add(self, entries: Sequence[RecordEntry]) -> None:
        for entry in entries if self._calls else ():
            facts = entry_facts(entry.body)
            if facts.get("kind") == RecordKind.ASKED:
                self._calls.pop((str(facts.get("session")), _number(facts.get("attempt"))), None)

    def problems(self) -> Iterator[str]:
        if self._calls:
            first = next(iter(self._calls.values()))
            yield (
                f"the ledger has {len(self._calls)} paid attempts that no entry asked for, "
                f"{first} the first"
            )


def _attempt_of(id_: object) -> tuple[str, int] | None:
    """The token of a call's session, and its attempt; None where somebody broke its line."""
    try:
        session, attempt, _, _ = str(id_).rsplit(".", 3)
        return SessionId.parse(session).token, int(attempt)
    except ValueError:
        return None


def _number(attempt: object) -> int:
    return attempt if isinstance(attempt, int) else 0


async def teams_that_asked(books: RedisBooks, since: float) -> set[str]:
    """The workspaces in which images were paid for or counted since then."""
    teams = {team async for team, day in books.days() if _began(day) >= since}
    return teams | {t for t in await books.teams() if await _has_paid(books, t, since)}


async def _has_paid(books: RedisBooks, team: str, since: float) -> bool:
    """Whether the workspace paid for a call; true, too, where its ledger cannot be read."""
    try:
        return await anext(books.lines(since, team), None) is not None
    except StoreBroken:
        return True


def _began(day: str) -> float:
    """0 for what is no day."""
    try:
        return earliest_time(day)
    except ValueError:
        return 0.0
