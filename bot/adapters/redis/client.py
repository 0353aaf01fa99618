"""How the program connects to Redis."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError

from bot.adapters.redis_connections import redis_pool

MAX_CONNECTIONS = 24
"""Opening one costs as much as several calls, and people wait while a crowd's are opened."""


def redis_options(patience: float) -> dict[str, Any]:
    """Connection options for calls that may take `patience` seconds in all.

    A silently dead connection is noticed by the socket timeout, because the default would wait
    for minutes; Redis that is away or still loading is asked again until patience ends, and one
    that has become a replica over a new connection, which may lead to another server.
    """
    return {
        "socket_timeout": min(8.0, patience),
        "socket_connect_timeout": min(5.0, patience),
        "health_check_interval": 5,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=1_000),
        "retry_on_error": [BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError],
    }


def redis_client(url: str, patience: float) -> Redis:
    """A client with a bounded pool: callers beyond it wait instead of failing."""
    pool = redis_pool(
        url,
        decode_responses=True,
        max_connections=MAX_CONNECTIONS,
        timeout=patience,
        **redis_options(patience),
    )
    return Redis.from_pool(pool)  # closing the client closes the pool
