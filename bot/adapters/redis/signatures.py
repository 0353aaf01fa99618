"""Which signatures of Slack's requests have been seen, by any process."""

from __future__ import annotations

import math
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from bot.adapters.redis.schema import signature_key
from bot.adapters.redis_errors import bounded


class RedisSignatures:
    """Implements `bot.ports.SeenSignatures`. `patience` bounds each call, in seconds: Slack waits
    3 for an ack, and what the request asks for is still to be kept by then."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience

    async def add(self, signature: str, seconds: float) -> bool:
        """What is kept is a mark of this call, because the client asks again after a lost answer:
        then the signature is there, by ourselves."""
        key, mark = signature_key(signature), uuid4().hex
        async with bounded(self._patience):
            if await self._redis.set(key, mark, nx=True, ex=max(1, math.ceil(seconds))):
                return True
            return bool(await self._redis.get(key) == mark)

    async def remove(self, signature: str) -> None:
        async with bounded(self._patience):
            await self._redis.delete(signature_key(signature))
