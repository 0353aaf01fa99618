"""The Redis server: how the program connects to it, what it says of itself, and which requests of
Slack it has seen."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from functools import partial
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)

from bot.adapters.redis.key_scan import scan_keys
from bot.adapters.redis.schema import EVERY_SESSION, signature_key
from bot.adapters.redis_connections import redis_pool
from bot.adapters.redis_errors import bounded, unavailable
from bot.domain.stages import Stage
from bot.ports import MemoryUsage

MAX_CONNECTIONS = 24
"""Opening a connection costs as much as several calls, and people wait while many are opened."""
_KEYS_AT_ONCE = 500


class _NamingRedis(Redis):
    """Names the key in the error that it is of another type: the server does not."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        execute: Any = super().execute_command  # its stubs tell no types
        try:
            return await execute(*args, **options)
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE") and not str(args[0]).startswith("EVAL"):
                error.args = (f"{error} ({args[1]})",)
            raise


def redis_client(url: str, patience: float) -> Redis:
    """A client for calls that may take `patience` seconds in all. Its pool is bounded: callers
    beyond it wait instead of failing.

    The socket timeout notices a connection that died silently, because the default would wait for
    minutes. The client asks again a Redis that is away or still loading until patience ends, and
    one that has become a replica over a new connection, which may lead to another server.
    """
    pool = redis_pool(
        url,
        decode_responses=True,
        max_connections=MAX_CONNECTIONS,
        timeout=patience,
        socket_timeout=min(8.0, patience),
        socket_connect_timeout=min(5.0, patience),
        health_check_interval=5,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=1_000),
        retry_on_error=[BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError],
    )
    return _NamingRedis.from_pool(pool)  # closing the client closes the pool


class RedisServer:
    """What health checks and metrics ask. `patience` bounds each call, in seconds;
    each raises `StoreUnavailable`."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience

    async def ping(self) -> None:
        async with bounded(self._patience):
            await self._redis.ping()

    async def memory(self) -> MemoryUsage:
        """How much the server uses and may use. Raises also where it does not tell, which counts as
        no failure of the store."""
        try:
            async with asyncio.timeout(self._patience):
                told = await self._redis.info("memory")
        except (RedisError, OSError) as error:
            raise unavailable(error) from error
        return MemoryUsage(int(told.get("used_memory", 0)), int(told.get("maxmemory", 0)))

    async def census(self) -> dict[Stage, int]:
        """How many sessions stand in each stage. Looks at every session, in many steps, each of
        which is bounded. Leaves out sessions in a stage that only a newer version knows."""
        stages: dict[str, str | None] = {}  # by key, because a scan may name one twice
        step = partial(bounded, self._patience)
        pages = scan_keys(self._redis, EVERY_SESSION, step, _KEYS_AT_ONCE, _type="hash")
        async for keys in pages:
            async with step():
                pipeline = self._redis.pipeline(transaction=False)
                for key in keys:
                    pipeline.hget(key, "stage")
                stages.update(zip(keys, await pipeline.execute(), strict=True))
        counted = Counter(stages.values())
        return {stage: counted[stage.value] for stage in Stage}


class RedisSignatures:
    """Implements `bot.ports.SeenSignatures`. `patience` bounds each call, in seconds: Slack waits
    3 for an ack, and the request has to be recorded by then."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience

    async def add(self, signature: str, seconds: float) -> bool:
        """The value is a mark of this call. The client asks again after a lost answer, and the
        mark tells the signature that this call stored from one that was there before."""
        key, mark = signature_key(signature), uuid4().hex
        async with bounded(self._patience):
            if await self._redis.set(key, mark, nx=True, ex=max(1, math.ceil(seconds))):
                return True
            return bool(await self._redis.get(key) == mark)

    async def remove(self, signature: str) -> None:
        async with bounded(self._patience):
            await self._redis.delete(signature_key(signature))
