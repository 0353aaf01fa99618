"""`RedisLimitSettings`: a hash for each workspace, of a scope and a limit to what was set.

imagine:{team}:limits    hash: "channel:C1/channel_budget_per_month" → {"value", "by", "at"}

What is set is written with its entries of the record, by one script.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.record import RedisRecord
from bot.adapters.redis.record_schema import Write
from bot.adapters.redis.schema import limits_key
from bot.adapters.redis_connections import bounded
from bot.domain.limit_settings import (
    ChosenLimit,
    ChosenLimits,
    Field,
    LimitKind,
    Scope,
    ScopeKind,
)
from bot.domain.record import RecordEvent


class RedisLimitSettings:
    """Implements `bot.ports.LimitSettings`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float, record: RedisRecord) -> None:
        self._redis: Any = redis  # its stubs do not know of `decode_responses`
        self._patience = patience
        self._record = record

    async def chosen(self, team: str) -> ChosenLimits:
        async with bounded(self._patience):
            stored: dict[str, str] = await self._redis.hgetall(limits_key(team))
        known = ((_field(name), value) for name, value in stored.items())
        return {field: ChosenLimit(**json.loads(value)) for field, value in known if field}

    async def choose(
        self, team: str, changes: Mapping[Field, ChosenLimit | None], *events: RecordEvent
    ) -> None:
        writes = [_write(team, field, chosen) for field, chosen in changes.items()]
        await self._record.append(team, *events, others=writes)


def _write(team: str, field: Field, chosen: ChosenLimit | None) -> Write:
    scope, kind = field
    name = f"{scope}/{kind}"
    if chosen is None:
        return limits_key(team), ["HDEL", name]
    return limits_key(team), ["HSET", name, json.dumps(chosen._asdict())]


def _field(name: str) -> Field | None:
    """None for what only a newer version knows."""
    scope, _, kind = name.partition("/")
    of, _, scope_id = scope.partition(":")
    try:
        return Scope(ScopeKind(of), scope_id), LimitKind(kind)
    except ValueError:
        return None
