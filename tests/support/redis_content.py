"""All that is in a Redis, to compare before and after."""

from __future__ import annotations

from typing import Any


async def content_of(redis: Any) -> dict[str, object]:
    """Every key with its value. `DUMP` tells a hash in the order that its table has just now."""
    found = {}
    for key in await redis.keys("*"):
        is_hash = await redis.type(key) == "hash"
        found[key] = await (redis.hgetall(key) if is_hash else redis.dump(key))
    return found
