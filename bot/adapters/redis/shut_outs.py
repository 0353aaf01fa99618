"""That Slack refuses the app, for all processes to know."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import SHUT_OUT
from bot.adapters.redis_errors import bounded
from bot.domain.shut_out import ShutOut

_KEPT_FOR = 30 * 24 * 3600
"""Seconds; whoever is refused after that says so anew."""


class RedisShutOuts:
    """Implements `bot.ports.ShutOuts`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience

    async def load(self) -> ShutOut | None:
        async with bounded(self._patience):
            stored = await self._redis.get(SHUT_OUT)
        return ShutOut(**json.loads(stored)) if stored else None

    async def save(self, shut_out: ShutOut) -> None:
        async with bounded(self._patience):
            await self._redis.set(SHUT_OUT, json.dumps(asdict(shut_out)), ex=_KEPT_FOR)

    async def clear(self) -> None:
        async with bounded(self._patience):
            await self._redis.delete(SHUT_OUT)
