"""`SideCheck` compares the names and texts in keys of their own with the entries that name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence

from bot.adapters.redis import RedisRecord
from bot.adapters.redis.record_reader import SideKeys
from bot.adapters.redis.record_schema import NO_SESSION
from bot.domain.record import entry_facts
from bot.domain.seals import RecordEntry
from bot.ops.audit.rows import hashes_of

_LAST_NUMBER = 2**63
_AT_ONCE = 500
"""Sessions whose texts are read in one round trip."""


class SideCheck:
    """Takes all entries of a record; `sides` are its keys as they were before. `unnamed` counts the
    names and texts that no entry names: where entries were trimmed, these may have been theirs."""

    def __init__(self, record: RedisRecord, team: str, sides: SideKeys) -> None:
        self._record = record
        self._team = team
        self._sides = sides
        self._people: set[str] = set()
        self._named: defaultdict[str, set[str]] = defaultdict(set)
        self._last = 0
        self.unnamed = 0

    def add(self, entries: Sequence[RecordEntry]) -> None:
        for entry in entries:
            facts = entry_facts(entry.body)
            self._last = max(self._last, entry.number)
            self._people.add(entry.person)
            self._named[str(facts.get("session") or NO_SESSION)].update(hashes_of(facts).values())

    async def problems(self, *, trimmed: bool) -> AsyncIterator[str]:
        """Sentences. Where a text is withheld, and there is another that no entry names, somebody
        has put that in its place."""
        for problem in self._misplaced():
            yield problem
        people = [user for of, (user, _) in self._sides.people.items() if of not in self._people]
        self.unnamed += len(people)
        if not trimmed:
            for user in sorted(people):
                yield f"no entry names the person {user}"
        unnamed = await self._unnamed_texts()
        for token, (hashes, withheld) in unnamed.items():
            self.unnamed += len(hashes)
            if withheld:
                yield f"session {token}: other texts were put in the place of its own"
            elif not trimmed:
                yield f"session {token}: no entry names {len(hashes)} of its texts"

    async def _unnamed_texts(self) -> dict[str, tuple[set[str], bool]]:
        """The sessions with texts that no entry names: these, and whether others are withheld. The
        texts are read after the entries, and entries may have come since with theirs."""
        kept: dict[str, set[str]] = {}
        tokens = list(self._sides.words)
        for start in range(0, len(tokens), _AT_ONCE):
            some = tokens[start : start + _AT_ONCE]
            for token, hashes in (await self._record.hashes_of_sessions(some, self._sides)).items():
                if hashes - self._named[token]:
                    kept[token] = hashes
        if kept:
            self.add(await self._record.entries_between(self._team, self._last + 1, _LAST_NUMBER))
        rest = {token: hashes - self._named[token] for token, hashes in kept.items()}
        return {
            token: (hashes, bool(self._named[token] - kept[token]))
            for token, hashes in rest.items()
            if hashes
        }

    def _misplaced(self) -> Iterator[str]:
        yield from (f"the program writes no key {key}" for key in sorted(self._sides.strange))
        for user in sorted(self._sides.misplaced):
            yield f"the key of the person {user} holds what is not theirs"
        for token, keys in self._sides.words.items():
            if token != NO_SESSION and len(keys) > 1:
                yield f"session {token}: its texts lie in {len(keys)} keys"
