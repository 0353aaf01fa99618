"""`RedisRecord`: the record of each workspace, as it is appended to, sealed and trimmed."""

from __future__ import annotations

import json
import time
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.atomic_writes import WRITES
from bot.adapters.redis.lease import Lease
from bot.adapters.redis.record_reader import RecordReader
from bot.adapters.redis.record_schema import (
    SEALER,
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

_APPEND = (
    WRITES
    + """
-- KEYS: the key of each write, the last of which is the record; ARGV: the writes as JSON
-- The client asks again after a lost answer: what is among the newest entries is there by then.
local writes = cjson.decode(ARGV[1])
local obstacle = obstacle_to(writes, 0)
if obstacle then return obstacle end
local bodies = {}
for _, write in ipairs(writes) do
  if write[1] == 'XENTRY' then bodies[write[2]] = true end
end
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[#KEYS], '+', '-', 'COUNT', 100)) do
  if bodies[entry[2][2]] then return 1 end
end
write_all(writes, 0)
return 1
"""
)

_END_WITH = """
local function end_with(record, ttl, key)  -- seals never outlive a record that nobody writes
  local left = redis.call('PTTL', record)
  redis.call('PEXPIRE', key, left > 0 and left or ttl * 1000)
end
"""

_SEAL = (
    _END_WITH
    + """
-- KEYS: the seals, the floor, the record
-- ARGV: the number of the seal before (0 for none), that of the new one, mac, at, keyed, ttl, the
-- id of the key
local found = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local before = found and string.match(found[1], '^%d+')
if not before then
  local floor = redis.call('GET', KEYS[2])
  before = floor and string.format('%.0f', cjson.decode(floor)[1]) or '0'
end
if before ~= ARGV[1] then return 0 end
local fields = {'mac', ARGV[3], 'at', ARGV[4], 'keyed', ARGV[5], 'key_id', ARGV[7]}
redis.call('XADD', KEYS[1], ARGV[2] .. '-0', unpack(fields))
end_with(KEYS[3], ARGV[6], KEYS[1])
end_with(KEYS[3], ARGV[6], KEYS[2])
return 1
"""
)

_TRIM = (
    _END_WITH
    + """
-- KEYS: the record, the seals, the floor; ARGV: the number and the mac of a seal, the floor, ttl
local seal = redis.call('XRANGE', KEYS[2], ARGV[1] .. '-0', ARGV[1] .. '-0')[1]
if not seal or seal[2][2] ~= ARGV[2] then return 0 end
local first = string.format('%.0f-0', tonumber(ARGV[1]) + 1)
redis.call('SET', KEYS[3], ARGV[3])
end_with(KEYS[1], ARGV[4], KEYS[3])
redis.call('XTRIM', KEYS[1], 'MINID', first)
redis.call('XTRIM', KEYS[2], 'MINID', first)
return 1
"""
)


class RedisRecord(RecordReader):
    """Implements `bot.ports.Record` and `bot.ports.SealedRecord`; and reads a whole record.
    `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float, policy: RecordPolicy) -> None:
        super().__init__(redis, patience)
        self._unreadable: dict[str, float] = {}
        self._policy = policy
        self._lease = Lease(redis, SEALER)
        self._append = redis.register_script(_APPEND)
        self._seal = redis.register_script(_SEAL)
        self._trim = redis.register_script(_TRIM)

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
            return await self._lease.take(run_id, seconds) == run_id

    async def release_lease(self, run_id: str) -> None:
        async with bounded(self._patience):
            await self._lease.release(run_id)

    async def teams(self) -> list[str]:
        async with bounded(self._patience):
            listed: list[str] = await self._redis.zrange(WORKSPACES, 0, -1)
        return listed

    async def last_seal(self, team: str) -> Seal | None:
        if found := await self.newest(seals_key(team)):
            return seal_from(found)
        floor = await self.floor(team)
        return Seal(floor.number, floor.seal, "", floor.keyed, floor.key_id) if floor else None

    async def entries_after(self, team: str, number: int, most: int) -> list[RecordEntry]:
        found = await self.read(record_key(team), f"{number + 1}-0", "+", most)
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
        keys = [seals_key(team), floor_key(team), record_key(team)]
        async with bounded(self._patience):
            added = await self._seal(keys=keys, args=args)
        return bool(added)

    async def old_seals(self, team: str, most: int) -> list[Seal]:
        found = await self.read(seals_key(team), "-", "+", most)
        return [seal_from(each) for each in found]

    async def last_time(self, team: str) -> float:
        found = await self.newest(record_key(team))
        return entry_time(entry_from(found).body) if found else 0.0

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
