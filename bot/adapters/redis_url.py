"""`REDIS_URL`: which connections it asks for."""

from __future__ import annotations

from typing import Any

from bot.adapters.pool import TurnsPool
from bot.adapters.sentinel import SCHEMES, SentinelPool

_QUIET = {"driver_info": None}
"""Without it each new connection looks up the client's version on disk, to tell the server: when
many connect at once, who waits for an answer waits for that."""


def redis_pool(url: str, **options: Any) -> TurnsPool:
    """Connections as the URL asks for: `redis`, `rediss`, `unix`, or either of the Sentinels'
    schemes. Its own query options win over `options`.

    Raises `ValueError` for a URL that is none; the text can hold a part of the password.
    """
    options = {**_QUIET, **options}
    scheme, _, _ = url.partition("://")
    if scheme in SCHEMES:
        return SentinelPool(url, **options)
    pool: TurnsPool = TurnsPool.from_url(url, **options)
    return pool
