"""What servers of images refuse of the settings that no person chose."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import refused_key
from bot.adapters.redis_errors import bounded


class RedisRefusedSettings:
    """Implements `bot.ports.RefusedSettings`. `patience` bounds each call, in seconds."""

    def __init__(
        self, redis: Redis, patience: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._clock = clock

    async def load(self, scope: str) -> frozenset[str]:
        async with bounded(self._patience):
            found = await self._redis.zrangebyscore(refused_key(scope), self._clock(), "+inf")
        return frozenset(found)

    async def add(self, scope: str, names: Collection[str], seconds: float) -> frozenset[str]:
        key, now = refused_key(scope), self._clock()
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.zremrangebyscore(key, "-inf", now)
            for name in names:
                pipeline.zadd(key, {name: now + seconds})
            pipeline.expire(key, round(seconds))
            _, *added, _ = await pipeline.execute()
        return frozenset(name for name, new in zip(names, added, strict=True) if new)
