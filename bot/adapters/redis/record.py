"""`RedisRecord`: the record of each workspace, as it is appended to, sealed and trimmed."""

from __future__ import annotations

import json
import time
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.record_reader import RecordReader
from bot.adapters.redis.record_schema import (
    APPEND,
    SEAL,
    SEALER,
    TRIM,
    RecordPolicy,
    entry_from,
    floor_key,
    floor_to_json,
    list_workspace,
    record_key,
    record_writes,
    seal_from,
    seals_key,
)
from bot.adapters.redis.schema import WORKSPACES
from bot.adapters.redis_errors import bounded
from bot.domain.errors import StoreBroken
from bot.domain.record import RecordEvent, entry_time
from bot.domain.seals import Floor, RecordEntry, Seal


class RedisRecord(RecordReader):
    """Implements `bot.ports.Record` and `bot.ports.SealedRecord`; and reads a whole record.
    `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float, policy: RecordPolicy) -> None:
        super().__init__(redis, patience)
        self._unreadable: dict[str, float] = {}
        self._policy = policy
        self._append = redis.register_script(APPEND)
        self._seal = redis.register_script(SEAL)
        self._trim = redis.register_script(TRIM)

    async def append(self, team: str, *events: RecordEvent) -> None:
        async with bounded(self._patience):
            await list_workspace(self._redis, team, self._policy.ttl)
        await self.write(team, *events)

    async def write(self, team: str, *events: RecordEvent) -> None:
        """The same in a workspace that is listed by now."""
        writes = record_writes(team, events, time.time(), self._policy)
        keys, commands = zip(*writes, strict=True)
        async with bounded(self._patience):
            await self._append(keys=keys, args=[json.dumps(commands)])

    # sealing

    async def hold_lease(self, run_id: str, seconds: float) -> bool:
        async with bounded(self._patience):
            if await self._redis.set(SEALER, run_id, nx=True, px=round(seconds * 1000)):
                return True
            if await self._redis.get(SEALER) != run_id:
                return False
            return bool(await self._redis.pexpire(SEALER, round(seconds * 1000)))

    async def teams(self) -> list[str]:
        async with bounded(self._patience):
            listed: list[str] = await self._redis.zrange(WORKSPACES, 0, -1)
        return listed

    async def last_seal(self, team: str) -> Seal | None:
        async with bounded(self._patience):
            found = await self._redis.xrevrange(seals_key(team), "+", "-", 1)
        if found:
            return seal_from(found[0])
        floor = await self.floor(team)
        return Seal(floor.number, floor.seal, "", floor.keyed, floor.key_id) if floor else None

    async def entries_after(self, team: str, number: int, most: int) -> list[RecordEntry]:
        async with bounded(self._patience):
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
        async with bounded(self._patience):
            added = await self._seal(keys=[seals_key(team), floor_key(team)], args=args)
        return bool(added)

    async def old_seals(self, team: str, most: int) -> list[Seal]:
        async with bounded(self._patience):
            found = await self._redis.xrange(seals_key(team), "-", "+", most)
        return [seal_from(each) for each in found]

    async def last_time(self, team: str) -> float:
        async with bounded(self._patience):
            found = await self._redis.xrevrange(record_key(team), "+", "-", 1)
        return entry_time(entry_from(found[0]).body) if found else 0.0

    async def trim(self, team: str, seal: Seal, floor: Floor) -> bool:
        keys = [record_key(team), seals_key(team), floor_key(team)]
        args: list[Any] = [seal.number, seal.mac, floor_to_json(floor), self._policy.ttl]
        async with bounded(self._patience):
            return bool(await self._trim(keys=keys, args=args))

    async def unsealed_since(self) -> float:
        """The time of the oldest entry without a seal, of all workspaces; 0 where there is none. A
        record that somebody broke counts since it was first seen to be."""
        oldest = 0.0
        for team in await self.teams():
            try:
                at = await self._unsealed_since(team)
                self._unreadable.pop(team, None)
            except StoreBroken:
                at = self._unreadable.setdefault(team, time.time())
            oldest = min(oldest or at, at or oldest)
        return oldest

    async def _unsealed_since(self, team: str) -> float:
        seal = await self.last_seal(team)
        number = seal.number if seal else 0
        if (await self.last_numbers(team))[0] < number:
            number = 0  # the record was lost, and is numbered anew
        entries = await self.entries_after(team, number, 1)
        return entry_time(entries[0].body) if entries else 0.0
