from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.adapters.redis import RedisAppBlockedStore, redis_client
from bot.domain.app_blocked import AppBlocked
from bot.domain.errors import StoreUnavailable

OUT = AppBlocked("chat.update", "token_revoked", 12.5)


@pytest_asyncio.fixture
async def kept(redis_url: str) -> AsyncIterator[RedisAppBlockedStore]:
    redis = redis_client(redis_url, 2.0)
    yield RedisAppBlockedStore(redis, 2.0)
    await redis.aclose()


async def test_what_is_kept_is_there_for_all_until_it_is_cleared(
    kept: RedisAppBlockedStore,
) -> None:
    assert await kept.load() is None
    await kept.save(OUT)
    assert await kept.load() == OUT
    await kept.save(OUT.half_opened())
    assert await kept.load() == OUT.half_opened()
    await kept.clear()
    assert await kept.load() is None


async def test_a_store_that_is_away_says_so() -> None:
    redis = redis_client("redis://127.0.0.1:1", 0.2)
    with pytest.raises(StoreUnavailable):
        await RedisAppBlockedStore(redis, 0.2).load()
    await redis.aclose()
