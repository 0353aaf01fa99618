"""The limits that admins set, in a real Valkey."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import RedisLimitSettings, redis_client
from bot.domain.errors import StoreUnavailable
from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind

IMAGES, BUDGET = LimitKind.USER_IMAGES_PER_DAY, LimitKind.CHANNEL_BUDGET_PER_MONTH
GENERAL = Scope(ScopeKind.CHANNEL, "C1")


async def test_what_is_set_comes_back_and_another_workspace_has_its_own(redis_url: str) -> None:
    redis = redis_client(redis_url, 5.0)
    settings = RedisLimitSettings(redis, 5.0)
    limits = {
        (WORKSPACE, IMAGES): ChosenLimit(25, "U1", 1.5),
        (GENERAL, BUDGET): ChosenLimit(0, "U2", 2.0),
    }
    await settings.choose("T1", limits)
    assert await settings.chosen("T1") == limits
    assert await settings.chosen("T2") == {}
    await settings.choose("T1", {(WORKSPACE, IMAGES): None, (GENERAL, BUDGET): None})
    assert await settings.chosen("T1") == {}
    assert await redis.keys("*") == []
    await redis.aclose()


async def test_what_only_a_newer_version_knows_is_left_alone(redis_url: str) -> None:
    redis = redis_client(redis_url, 5.0)
    await redis.hset("imagine:{T1}:limits", "planet:mars/rockets", "{}")
    settings = RedisLimitSettings(redis, 5.0)
    await settings.choose("T1", {(WORKSPACE, IMAGES): ChosenLimit(1, "U1", 1.0)})
    assert list(await settings.chosen("T1")) == [(WORKSPACE, IMAGES)]
    await redis.aclose()


async def test_without_redis_it_says_so() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as redis:
        with pytest.raises(StoreUnavailable):
            await RedisLimitSettings(redis, 0.2).chosen("T1")
