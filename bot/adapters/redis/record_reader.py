"""`RecordReader`: reads the record of each workspace, whole or in part."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bot.adapters.redis.key_scan import scan_keys
from bot.adapters.redis.record_schema import (
    EVERY_RECORD,
    NO_SESSION,
    Stored,
    entry_from,
    floor_from_json,
    floor_key,
    number_of,
    person_key,
    pseudonym_fits,
    record_key,
    seal_from,
    seals_key,
    words_key,
)
from bot.adapters.redis_errors import bounded
from bot.domain.record import entry_facts
from bot.domain.seals import Floor, RecordEntry, Seal

_AT_ONCE = 1_000
"""Entries that are read in one round trip."""


class Batch(NamedTuple):
    """A seal and the entries that it covers; without a seal, the entries that have none yet."""

    seal: Seal | None
    entries: list[RecordEntry]


class SideKeys(NamedTuple):
    """The keys that can be deleted: pseudonym → what its person's key holds, with the user id in
    front; and the token of each session → the keys of its words. `misplaced` are the people whose
    key holds what is not theirs; `strange` are keys that the program does not write."""

    people: dict[str, tuple[str, str]]
    words: dict[str, set[str]]
    misplaced: set[str]
    strange: set[str]


Words = dict[str, tuple[str, str]]

_RANGE = """
-- KEYS: a stream; ARGV: the command, the first and the last id, how many
-- The client's own reading would leave out a field that stands there twice.
return redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
"""


class RecordReader:
    """`patience` bounds each call, in seconds. Every method raises `StoreUnavailable`."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._range: Any = redis.register_script(_RANGE)

    async def recorded_teams(self) -> list[str]:
        """Every workspace that has a record, or keys that are left of one."""
        found: set[str] = set()
        async for keys in self._keys(f"{EVERY_RECORD}*"):
            found |= {key.partition("{")[2].partition("}")[0] for key in keys}
        return sorted(found)

    async def floor(self, team: str) -> Floor | None:
        key = floor_key(team)
        async with bounded(self._patience, key):
            stored = await self._redis.get(key)
        return None if stored is None else floor_from_json(stored)

    async def last_numbers(self, team: str) -> tuple[int, int]:
        """The highest numbers that were ever given to an entry and to a seal; 0 for none. The seal
        is looked at first, so that its number is never ahead of the entry's."""
        last_seal = await self._last_number(seals_key(team))
        return await self._last_number(record_key(team)), last_seal

    async def _last_number(self, key: str) -> int:
        async with bounded(self._patience, key):
            if not await self._redis.exists(key):
                return 0
            told = await self._redis.xinfo_stream(key)
        return number_of(told["last-generated-id"])

    async def read(
        self, key: str, first: str, last: str, most: int, command: str = "XRANGE"
    ) -> list[Stored]:
        """A part of a stream, as it is stored."""
        async with bounded(self._patience, key):
            found: list[Stored] = await self._range(keys=[key], args=[command, first, last, most])
        return found

    async def newest(self, key: str) -> Stored | None:
        found = await self.read(key, "+", "-", 1, "XREVRANGE")
        return found[0] if found else None

    async def entries_between(self, team: str, first: int, last: int) -> list[RecordEntry]:
        return [entry async for page in self._pages(team, first, f"{last}-0") for entry in page]

    async def batches(self, team: str) -> AsyncIterator[Batch]:
        """The seals in their order, each with its entries, and last the entries without one, in
        parts."""
        number, at = 0, "-"
        while True:
            found = await self.read(seals_key(team), at, "+", _AT_ONCE)
            for seal in map(seal_from, found):
                yield Batch(seal, await self.entries_between(team, number + 1, seal.number))
                number = seal.number
            if len(found) < _AT_ONCE:
                break
            at = f"({found[-1][0]}"
        async for page in self._pages(team, number + 1, "+"):
            yield Batch(None, page)

    async def _pages(self, team: str, first: int, until: str) -> AsyncIterator[list[RecordEntry]]:
        at = f"({first - 1}-0"  # what somebody put behind it as `-1` is not left out
        while True:
            found = await self.read(record_key(team), at, until, _AT_ONCE)
            if found:
                yield [entry_from(each) for each in found]
            if len(found) < _AT_ONCE:
                return
            at = f"({found[-1][0]}"

    async def side_keys(self, team: str) -> SideKeys:
        """The names that are not deleted, and the keys of the words that are not."""
        sides, known = SideKeys({}, {}, set(), set()), {seals_key(team), floor_key(team)}
        of_person = person_key(team, "")
        of_words = words_key(f"{team}.*.").partition("*")[0]
        async for keys in self._keys(f"{record_key(team)}:*"):
            people = [key for key in keys if key.startswith(of_person)]
            async with bounded(self._patience):
                pipeline = self._redis.pipeline(transaction=False)
                for key in people:
                    pipeline.get(key)
                found: list[str | None] = await pipeline.execute()
            for key, kept in zip(people, found, strict=True):
                if kept is not None:
                    _add_person(sides, key.removeprefix(of_person), kept)
            for key in keys:
                if key.startswith(of_words):
                    token = key.removeprefix(of_words).partition(".")[2]
                    sides.words.setdefault(token, set()).add(key)
                elif not key.startswith(of_person) and key not in known:
                    sides.strange.add(key)
        return sides

    async def words_of(self, entries: list[RecordEntry], sides: SideKeys) -> Words:
        """The words of these entries that are not deleted: the hash of each → its salt and itself.
        Only so many are held at once."""
        tokens = {str(entry_facts(entry.body).get("session") or NO_SESSION) for entry in entries}
        found = await self._stored_words(tokens, sides)
        return {name: _salt_and_text(text) for each in found.values() for name, text in each}

    async def hashes_of_sessions(
        self, tokens: Iterable[str], sides: SideKeys
    ) -> dict[str, set[str]]:
        """The hashes of the texts of each session that are not deleted."""
        found = await self._stored_words(tokens, sides)
        return {token: {name for name, _ in each} for token, each in found.items()}

    async def _stored_words(
        self, tokens: Iterable[str], sides: SideKeys
    ) -> dict[str, list[tuple[str, str]]]:
        keys = [(token, key) for token in tokens for key in sides.words.get(token, ())]
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for _, key in keys:
                pipeline.hgetall(key)
            found = await pipeline.execute()
        words: dict[str, list[tuple[str, str]]] = {}
        for (token, _), each in zip(keys, found, strict=True):
            words.setdefault(token, []).extend(each.items())
        return words

    def _keys(self, pattern: str) -> AsyncIterator[list[str]]:
        return scan_keys(self._redis, pattern, partial(bounded, self._patience))


def _add_person(sides: SideKeys, user: str, kept: str) -> None:
    """A key that fits its person goes before a copy of it."""
    pseudonym = kept.partition(" ")[2]
    if pseudonym_fits(user, kept):
        sides.people[pseudonym] = user, kept
    else:
        sides.misplaced.add(user)
        sides.people.setdefault(pseudonym, (user, kept))


def _salt_and_text(stored: str) -> tuple[str, str]:
    """Empty where somebody broke it, which no hash fits."""
    try:
        salt, text = json.loads(stored)
    except (ValueError, TypeError):
        return "", ""
    return str(salt), str(text)
