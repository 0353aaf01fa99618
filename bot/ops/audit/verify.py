"""`Verification`: says of each workspace's record whether it stands, and what is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.adapters.redis import RedisBooks, RedisRecord
from bot.adapters.redis.record_schema import up_to
from bot.domain.errors import StoreBroken
from bot.domain.record import entry_time
from bot.domain.record_check import RecordCheck
from bot.domain.seals import Floor, SealingKeys, key_id
from bot.ops.audit.ledger_check import LedgerCheck, teams_that_asked
from bot.ops.audit.output import say
from bot.ops.audit.rows import row_of
from bot.ops.audit.side_check import SideCheck
from bot.ops.startup import StartupError


class Verification(NamedTuple):
    """`ttl` is how long entries are kept, in seconds, and `delay` how long after an entry its call
    may be paid for; `head` is one that was logged earlier, as its number and its seal."""

    record: RedisRecord
    books: RedisBooks
    keys: SealingKeys
    ttl: int
    delay: int
    head: tuple[int, str] | None = None

    async def of_teams(self, team: str | None) -> int:
        """The exit code, of one workspace or of all. Raises `StartupError` for one of which nothing
        is stored."""
        recorded = await self.record.recorded_teams()
        asked = await teams_that_asked(self.books, self._oldest_call)
        teams = chosen_teams([*recorded, *asked.difference(recorded)], team)
        if not teams:
            say("NOT CHECKED there is no record")
            return 1
        return max([await self._of_team(each, each in recorded) for each in teams])

    async def _of_team(self, team: str, is_recorded: bool) -> int:
        if is_recorded:
            return await self._try_to_verify(team)
        say(f"{team}: PROBLEM there is no record, though images were asked for: it was removed")
        return 1

    @property
    def _oldest_call(self) -> float:
        """The time of the oldest call whose entry is certainly kept, in seconds since the epoch."""
        return time.time() - self.ttl + self.delay

    async def _try_to_verify(self, team: str) -> int:
        """A record that somebody broke so that it or its ledger cannot be read does not stand."""
        try:
            return await self._verify(team)
        except StoreBroken as error:
            say(f"{team}: PROBLEM the record cannot be read: {error}")
            say(f"{team}: the record does NOT stand")
            return 1

    async def _verify(self, team: str) -> int:
        check = await self.check(team)
        for line in _summary(check):
            say(f"{team}: {line}")
        return 1 if check.problems or check.unchecked else 0

    async def check(self, team: str) -> RecordCheck:
        """Reads once more where entries were trimmed meanwhile."""
        while True:
            floor = await self.record.floor(team)
            check = RecordCheck(team, self.keys, self.head)
            check.begin(floor)
            await self._read_all(check, floor)
            if await self.record.floor(team) == floor:
                return check

    async def _read_all(self, check: RecordCheck, floor: Floor | None) -> None:
        team, record, withheld = check.team, self.record, 0
        ledger = await LedgerCheck.read(self.books, team, await self._first_call(team, floor))
        numbers, sides = await record.last_numbers(team), await record.side_keys(team)
        side_check = SideCheck(record, team, sides)
        async for batch in record.batches(team):
            if batch.seal:
                check.batch(batch.seal, batch.entries)
            else:
                check.rest(batch.entries)
            ledger.add(batch.entries)
            side_check.add(batch.entries)
            entries = up_to(numbers[0], batch.entries)
            words = await record.words_of(entries, sides)
            for entry in entries:
                row = row_of(team, entry, sides, words, sealed=True)
                check.problems += row.problems
                withheld += len(row.withheld)
        check.finish(*numbers, time.time())
        check.problems += ledger.problems()
        check.problems += [p async for p in side_check.problems(trimmed=floor is not None)]
        if not any(numbers):
            check.problems.append("the entries and the seals are gone; other keys of it are left")
        check.notes += _notes(withheld, side_check.unnamed if floor else 0)

    async def _first_call(self, team: str, floor: Floor | None) -> float:
        """As `_oldest_call`, of a record that may be trimmed."""
        entries = await self.record.entries_after(team, floor.number, 1) if floor else []
        return max([self._oldest_call, *(entry_time(entry.body) + self.delay for entry in entries)])


def chosen_teams(known: Sequence[str], team: str | None) -> list[str]:
    """All, or the one that is named. Raises `StartupError` where nothing of that is stored."""
    if not team:
        return sorted(known)
    if team not in known:
        raise StartupError(f"there is no record of {team}")
    return [team]


def _notes(withheld: int, unnamed: int) -> Iterator[str]:
    if withheld:
        yield f"withheld: {withheld} names or texts, which were deleted; their entries are there"
    if unnamed:
        yield f"kept: {unnamed} names or texts that no entry names; theirs may have been trimmed"


def _summary(check: RecordCheck) -> Iterator[str]:
    yield from check.notes
    if not check.keys.given:
        yield "AUDIT_KEY is not set: a rewrite of the whole tail would not be found"
    yield from (f"PROBLEM {problem}" for problem in check.problems)
    yield from (f"NOT CHECKED {sentence}" for sentence in check.unchecked)
    if check.unchecked and check.keys.given:
        yield f"the ids of the keys that are given: {', '.join(map(key_id, check.keys.given))}"
    stands = "cannot be checked in full" if check.unchecked else "stands"
    if check.problems:
        stands = "does NOT stand"
    yield f"the record {stands}: {check.sealed} entries sealed, {check.unsealed} not yet"
