"""`RedisRecord`: the record of each workspace, as it is appended to, sealed, trimmed and read."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bot.adapters.redis.record_schema import (
    APPEND,
    EVERY_RECORD,
    NO_SESSION,
    SEAL,
    SEALER,
    TRIM,
    RecordPolicy,
    entry_from,
    floor_from_json,
    floor_key,
    floor_to_json,
    list_workspace,
    number_of,
    person_key,
    record_key,
    record_writes,
    seal_from,
    seals_key,
    words_key,
)
from bot.adapters.redis.schema import WORKSPACES
from bot.adapters.redis_connections import bounded
from bot.domain.errors import StoreUnavailable
from bot.domain.record import RecordEvent, entry_facts, entry_time
from bot.domain.seals import Floor, RecordEntry, Seal

_AT_ONCE = 1_000
"""Entries that are read in one round trip."""


class Batch(NamedTuple):
    """A seal and the entries that it covers; without a seal, the entries that have none yet."""

    seal: Seal | None
    entries: list[RecordEntry]


class SideKeys(NamedTuple):
    """The keys that can be deleted: pseudonym → what its person's key holds, with the user id in
    front; and the token of each session → the keys of its words."""

    people: dict[str, tuple[str, str]]
    words: dict[str, list[str]]


Words = dict[str, tuple[str, str]]


@asynccontextmanager
async def _reading(patience: float) -> AsyncIterator[None]:
    """As `bounded`; bytes that are no text, which somebody has put there, are an error of the
    store, too."""
    try:
        async with bounded(patience):
            yield
    except UnicodeDecodeError as error:
        raise StoreUnavailable(type(error).__name__) from error


class RedisRecord:
    """Implements `bot.ports.Record` and `bot.ports.SealedRecord`; and reads a whole record.
    `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float, policy: RecordPolicy) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._policy = policy
        self._append = redis.register_script(APPEND)
        self._seal = redis.register_script(SEAL)
        self._trim = redis.register_script(TRIM)

    async def append(self, team: str, *events: RecordEvent) -> None:
        async with _reading(self._patience):
            await list_workspace(self._redis, team, self._policy.ttl)
        await self.write(team, *events)

    async def write(self, team: str, *events: RecordEvent) -> None:
        """The same in a workspace that is listed by now."""
        writes = record_writes(team, events, time.time(), self._policy)
        keys, commands = zip(*writes, strict=True)
        async with _reading(self._patience):
            await self._append(keys=keys, args=[json.dumps(commands)])

    # sealing

    async def hold_lease(self, run_id: str, seconds: float) -> bool:
        async with _reading(self._patience):
            if await self._redis.set(SEALER, run_id, nx=True, px=round(seconds * 1000)):
                return True
            if await self._redis.get(SEALER) != run_id:
                return False
            return bool(await self._redis.pexpire(SEALER, round(seconds * 1000)))

    async def teams(self) -> list[str]:
        async with _reading(self._patience):
            listed: list[str] = await self._redis.zrange(WORKSPACES, 0, -1)
        return listed

    async def last_seal(self, team: str) -> Seal | None:
        async with _reading(self._patience):
            found = await self._redis.xrevrange(seals_key(team), "+", "-", 1)
        if found:
            return seal_from(found[0])
        floor = await self.floor(team)
        return Seal(floor.number, floor.seal, "", floor.keyed, floor.key_id) if floor else None

    async def entries_after(self, team: str, number: int, most: int) -> list[RecordEntry]:
        async with _reading(self._patience):
            found = await self._redis.xrange(record_key(team), f"{number + 1}-0", "+", most)
        return [entry_from(each) for each in found]

    async def add_seal(self, team: str, before: int, seal: Seal) -> bool:
        args: list[Any] = [
            before,
            seal.number,
            seal.mac,
            seal.at,
            int(seal.keyed),
            self._policy.ttl,
            seal.key_id,
        ]
        async with _reading(self._patience):
            added = await self._seal(keys=[seals_key(team), floor_key(team)], args=args)
        return bool(added)

    async def old_seals(self, team: str, most: int) -> list[Seal]:
        async with _reading(self._patience):
            found = await self._redis.xrange(seals_key(team), "-", "+", most)
        return [seal_from(each) for each in found]

    async def entries_between(self, team: str, first: int, last: int) -> list[RecordEntry]:
        return [entry async for page in self._pages(team, first, f"{last}-0") for entry in page]

    async def last_time(self, team: str) -> float:
        async with _reading(self._patience):
            found = await self._redis.xrevrange(record_key(team), "+", "-", 1)
        return entry_time(entry_from(found[0]).body) if found else 0.0

    async def trim(self, team: str, seal: Seal, floor: Floor) -> bool:
        keys = [record_key(team), seals_key(team), floor_key(team)]
        args: list[Any] = [seal.number, seal.mac, floor_to_json(floor), self._policy.ttl]
        async with _reading(self._patience):
            return bool(await self._trim(keys=keys, args=args))

    # reading

    async def unsealed_since(self) -> float:
        """The time of the oldest entry without a seal, of all workspaces; 0 where there is none."""
        oldest = 0.0
        for team in await self.teams():
            seal = await self.last_seal(team)
            number = seal.number if seal else 0
            if (await self.last_numbers(team))[0] < number:
                number = 0  # the record was lost, and is numbered anew
            for entry in await self.entries_after(team, number, 1):
                at = entry_time(entry.body)
                oldest = min(oldest or at, at)
        return oldest

    async def recorded_teams(self) -> list[str]:
        """Every workspace that has a record, or keys that are left of one."""
        found: set[str] = set()
        async for keys in self._keys(f"{EVERY_RECORD}*"):
            found |= {key.partition("{")[2].partition("}")[0] for key in keys}
        return sorted(found)

    async def floor(self, team: str) -> Floor | None:
        async with _reading(self._patience):
            stored = await self._redis.get(floor_key(team))
        return floor_from_json(stored) if stored else None

    async def last_numbers(self, team: str) -> tuple[int, int]:
        """The highest numbers that were ever given to an entry and to a seal; 0 for none. The seal
        is looked at first, so that its number is never ahead of the entry's."""
        last_seal = await self._last_number(seals_key(team))
        return await self._last_number(record_key(team)), last_seal

    async def _last_number(self, key: str) -> int:
        async with _reading(self._patience):
            if not await self._redis.exists(key):
                return 0
            told = await self._redis.xinfo_stream(key)
        return number_of(told["last-generated-id"])

    async def batches(self, team: str) -> AsyncIterator[Batch]:
        """The seals in their order, each with its entries, and last the entries without one, in
        parts."""
        number, at = 0, "-"
        while True:
            async with _reading(self._patience):
                found = await self._redis.xrange(seals_key(team), at, "+", _AT_ONCE)
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
            async with _reading(self._patience):
                found = await self._redis.xrange(record_key(team), at, until, _AT_ONCE)
            if found:
                yield [entry_from(each) for each in found]
            if len(found) < _AT_ONCE:
                return
            at = f"({found[-1][0]}"

    async def side_keys(self, team: str) -> SideKeys:
        """The names that are not deleted, and the keys of the words that are not."""
        sides = SideKeys({}, {})
        prefix = person_key(team, "")
        async for keys in self._keys(f"{prefix}*"):
            async with _reading(self._patience):
                pipeline = self._redis.pipeline(transaction=False)
                for key in keys:
                    pipeline.get(key)
                found: list[str | None] = await pipeline.execute()
            for key, kept in zip(keys, found, strict=True):
                pseudonym = (kept or "").partition(" ")[2]
                sides.people[pseudonym] = key.removeprefix(prefix), kept or ""
        prefix = words_key(f"{team}.*.").partition("*")[0]
        async for keys in self._keys(f"{prefix}*"):
            for key in keys:
                token = key.removeprefix(prefix).partition(".")[2]
                sides.words.setdefault(token, []).append(key)
        return sides

    async def words_of(self, entries: list[RecordEntry], sides: SideKeys) -> Words:
        """The words of these entries that are not deleted: the hash of each → its salt and itself.
        Only so many are held at once."""
        tokens = {str(entry_facts(entry.body).get("session") or NO_SESSION) for entry in entries}
        return await self.words_of_sessions(tokens, sides)

    async def words_of_sessions(self, tokens: Iterable[str], sides: SideKeys) -> Words:
        keys = [key for token in tokens for key in sides.words.get(token, [])]
        async with _reading(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for key in keys:
                pipeline.hgetall(key)
            found = await pipeline.execute()
        return {name: _salt_and_text(text) for each in found for name, text in each.items()}

    async def _keys(self, pattern: str) -> AsyncIterator[list[str]]:
        """In many steps, each of which is bounded."""
        cursor = -1
        while cursor:
            async with _reading(self._patience):
                cursor, keys = await self._redis.scan(max(cursor, 0), pattern, _AT_ONCE)
            yield keys


def _salt_and_text(stored: str) -> tuple[str, str]:
    """Empty where somebody broke it, which no hash fits."""
    try:
        salt, text = json.loads(stored)
    except (ValueError, TypeError):
        return "", ""
    return str(salt), str(text)
