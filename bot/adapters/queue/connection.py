"""Redis connections made for BullMQ."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ReadOnlyError

from bot.adapters.redis_connections import redis_pool

_MAX_CONNECTIONS = 32
_RETRIES = 60
"""About a minute: a finished job is worth waiting for Redis that restarts."""


def bullmq_client(url: str) -> Redis:
    """A client that BullMQ can use from many tasks at once; the URL's own query options win.

    A client of BullMQ's own making has one connection, for which all callers would queue. Here
    a call has a connection to itself, and a call that is cancelled closes it: no other call can
    read its answer. Callers beyond the pool's size wait. A silently dead connection is noticed
    within `socket_timeout` seconds, which has to exceed the time that a worker blocks for.
    """
    pool = redis_pool(
        url,
        max_connections=_MAX_CONNECTIONS,
        timeout=None,
        socket_timeout=8.0,
        socket_connect_timeout=5.0,
        health_check_interval=5,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), _RETRIES),
        retry_on_error=[ReadOnlyError],
    )
    pool.connection_kwargs["decode_responses"] = True  # BullMQ reads nothing else
    return Redis.from_pool(pool)


def socket_timeout(redis: Redis) -> float:
    """Seconds, as the URL has it in the end."""
    return float(redis.connection_pool.connection_kwargs["socket_timeout"])


def assume_modern(connection: Any) -> None:
    """Tell a BullMQ connection what every server that we support can do.

    Left alone, BullMQ asks the server and then complains with `warnings.warn`; without having
    asked, it rounds the time until a delayed job is due up to whole seconds.
    """
    connection.version = "6.2.0"
    connection.capabilities = {"canBlockFor1Ms": False, "canDoubleTimeout": True}
