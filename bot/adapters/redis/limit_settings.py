"""`RedisLimitSettings`: a hash for each workspace, of a scope and a limit to what was set.

imagine:{team}:limits    hash: "channel:C1/channel_budget_per_month" → {"value", "by", "at"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

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


class RedisLimitSettings:
    """Implements `bot.ports.LimitSettings`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis  # its stubs do not know of `decode_responses`
        self._patience = patience

    async def chosen(self, team: str) -> ChosenLimits:
        async with bounded(self._patience):
            stored: dict[str, str] = await self._redis.hgetall(limits_key(team))
        known = ((_field(name), value) for name, value in stored.items())
        return {field: ChosenLimit(**json.loads(value)) for field, value in known if field}

    async def choose(self, team: str, changes: Mapping[Field, ChosenLimit | None]) -> None:
        key = limits_key(team)
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for (scope, kind), chosen in changes.items():
                name = f"{scope}/{kind}"
                if chosen is None:
                    pipeline.hdel(key, name)
                else:
                    pipeline.hset(key, name, json.dumps(chosen._asdict()))
            await pipeline.execute()


def _field(name: str) -> Field | None:
    """None for what only a newer version knows."""
    scope, _, kind = name.partition("/")
    of, _, scope_id = scope.partition(":")
    try:
        return Scope(ScopeKind(of), scope_id), LimitKind(kind)
    except ValueError:
        return None
