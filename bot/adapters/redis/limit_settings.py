"""`RedisLimitSettings`: a hash for each workspace, of a scope and a limit to what was set.

imagine:{team}:limits    hash: "channel:C1/channel_budget_per_month" → {"value", "by", "at"}
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.atomic_writes import WRITES
from bot.adapters.redis.command_batches import CommandBatches
from bot.adapters.redis.record_schema import RecordPolicy, list_workspace, record_writes
from bot.adapters.redis.schema import limits_key
from bot.adapters.redis_errors import bounded, broken
from bot.domain.limit_settings import ChosenLimit, ChosenLimits, Field
from bot.domain.record import RecordEvent

CHOOSE = (
    WRITES
    + """
-- KEYS: the key of each write, and last the limits
-- ARGV: the writes as JSON, then for each field that changes: its name, the value that was read
local writes = cjson.decode(ARGV[1])
local obstacle = obstacle_to(writes, 0)
if obstacle then return obstacle end
for i = 2, #ARGV, 2 do
  local found = redis.call('HGET', KEYS[#KEYS], ARGV[i])
  local is_read, limit = pcall(cjson.decode, found or '{"value":0}')
  if not is_read or type(limit) ~= 'table' or type(limit.value) ~= 'number' then
    return broken(KEYS[#KEYS], ARGV[i], 'is no limit')
  end
  local value = found and string.format('%.0f', limit.value) or ''
  if value ~= ARGV[i + 1] then return 0 end
end
write_all(writes, 0)
return 1
"""
)


class RedisLimitSettings:
    """Implements `bot.ports.LimitSettings`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float, record: RecordPolicy | None = None) -> None:
        self._redis: Any = redis  # its stubs do not know of `decode_responses`
        self._patience = patience
        self._record = record or RecordPolicy()
        self._batches = CommandBatches(redis, patience)
        self._choose = redis.register_script(CHOOSE)

    async def chosen(self, team: str, fields: Collection[Field]) -> ChosenLimits:
        names = [_name(field) for field in fields]
        stored: list[str | None] = await self._batches.run_command(
            "HMGET", limits_key(team), *names
        )
        return {
            field: _limit_from_json(value, limits_key(team), _name(field))
            for field, value in zip(fields, stored, strict=True)
            if value
        }

    async def choose(
        self,
        team: str,
        before: ChosenLimits,
        changes: Mapping[Field, ChosenLimit | None],
        events: Sequence[RecordEvent],
    ) -> bool:
        key, now = limits_key(team), time.time()
        writes = [(key, _write(field, chosen)) for field, chosen in changes.items()]
        writes += record_writes(team, events, now, self._record)
        keys, commands = zip(*writes, strict=True)
        read = [
            text
            for field in changes
            for text in (_name(field), str(before[field].value) if field in before else "")
        ]
        async with bounded(self._patience):
            await list_workspace(self._redis, team, self._record.ttl)
            done: int = await self._choose(keys=[*keys, key], args=[json.dumps(commands), *read])
        return bool(done)


def _name(field: Field) -> str:
    scope, kind = field
    return f"{scope}/{kind}"


def _write(field: Field, chosen: ChosenLimit | None) -> list[str]:
    if chosen is None:
        return ["HDEL", _name(field)]
    return ["HSET", _name(field), json.dumps(chosen._asdict())]


def _limit_from_json(stored: str, key: str, field: str) -> ChosenLimit:
    """Leaves out the fields that only a newer version knows. Raises `StoreBroken`."""
    try:
        known = json.loads(stored)
        return ChosenLimit(int(known["value"]), str(known["by"]), float(known["at"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise broken(key, field, "is no limit") from error
