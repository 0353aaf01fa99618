from __future__ import annotations

import pytest

from bot.adapters.redis import RedisRefusedSettings, redis_client
from bot.adapters.redis.schema import refused_key
from bot.domain.errors import StoreUnavailable


async def test_names_are_remembered_each_for_its_time(redis_url: str) -> None:
    redis, now = redis_client(redis_url, 2.0), [1000.0]
    shared = RedisRefusedSettings(redis, 2.0, lambda: now[0])
    assert await shared.load("s") == frozenset()
    assert await shared.add("s", ["SIZE"], 60) == {"SIZE"}
    now[0] += 30
    assert await shared.add("s", ["SIZE", "QUALITY"], 60) == {"QUALITY"}
    assert await shared.load("s") == {"SIZE", "QUALITY"}
    assert await shared.load("other") == frozenset()
    now[0] += 61
    assert await shared.load("s") == frozenset()
    assert 0 < await redis.ttl(refused_key("s")) <= 60
    await redis.aclose()


async def test_a_store_that_is_away_says_so() -> None:
    redis = redis_client("redis://127.0.0.1:1", 0.2)
    shared = RedisRefusedSettings(redis, 0.2)
    with pytest.raises(StoreUnavailable):
        await shared.load("s")
    with pytest.raises(StoreUnavailable):
        await shared.add("s", ["SIZE"], 1)
    await redis.aclose()
