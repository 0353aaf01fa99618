"""The limits that admins set, in a real Valkey."""

from __future__ import annotations

import json

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import RecordPolicy, RedisLimitSettings, RedisRecord, redis_client
from bot.adapters.redis.record_schema import record_key
from bot.domain.errors import StoreUnavailable
from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind
from bot.service.limits import WorkspaceLimits

IMAGES, BUDGET = LimitKind.USER_IMAGES_PER_DAY, LimitKind.CHANNEL_BUDGET_PER_MONTH
GENERAL = Scope(ScopeKind.CHANNEL, "C1")
BOB = Scope(ScopeKind.USER, "U2")


def settings_in(redis: Redis, patience: float = 5.0) -> RedisLimitSettings:
    return RedisLimitSettings(redis, patience, RedisRecord(redis, patience, RecordPolicy()))


async def test_what_is_set_comes_back_and_another_workspace_has_its_own(redis_url: str) -> None:
    redis = redis_client(redis_url, 5.0)
    settings = settings_in(redis)
    limits = {
        (WORKSPACE, IMAGES): ChosenLimit(25, "U1", 1.5),
        (GENERAL, BUDGET): ChosenLimit(0, "U2", 2.0),
    }
    await settings.choose("T1", limits)
    assert await settings.chosen("T1") == limits
    assert await settings.chosen("T2") == {}
    await settings.choose("T1", {(WORKSPACE, IMAGES): None, (GENERAL, BUDGET): None})
    assert await settings.chosen("T1") == {}
    assert await redis.keys("*limits*") == []
    await redis.aclose()


async def test_what_only_a_newer_version_knows_is_left_alone(redis_url: str) -> None:
    redis = redis_client(redis_url, 5.0)
    await redis.hset("imagine:{T1}:limits", "planet:mars/rockets", "{}")
    settings = settings_in(redis)
    await settings.choose("T1", {(WORKSPACE, IMAGES): ChosenLimit(1, "U1", 1.0)})
    assert list(await settings.chosen("T1")) == [(WORKSPACE, IMAGES)]
    await redis.aclose()


async def test_without_redis_it_says_so() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as redis:
        with pytest.raises(StoreUnavailable):
            await settings_in(redis, 0.2).chosen("T1")


async def test_what_an_admin_changes_goes_into_the_record_with_it(redis_url: str) -> None:
    redis = redis_client(redis_url, 5.0)
    limits = WorkspaceLimits(settings_in(redis), {}, lambda: 1.0)
    for wanted in (25, 25, None):
        await limits.choose("T1", "U1", {(WORKSPACE, IMAGES): wanted, (BOB, IMAGES): 5})
    record = RedisRecord(redis, 5.0, RecordPolicy())
    entries = [entry async for batch in record.batches("T1") for entry in batch.entries]
    told = [json.loads(entry.body) for entry in entries]
    assert [(facts.get("before"), facts.get("after")) for facts in told] == [
        (None, 25),
        (None, 5),
        (25, None),
    ]
    assert {facts["setting"] for facts in told} == {"user_images_per_day"}
    assert "U2" not in str(entries)
    kept = (await record.side_keys("T1")).words
    assert [kept[facts["words"]["about"]][1] for facts in told if "words" in facts] == ["U2"]
    await redis.aclose()


async def test_where_the_record_cannot_be_written_nothing_is_set(redis_url: str) -> None:
    redis = redis_client(redis_url, 5.0)
    await redis.set(record_key("T1"), "no stream")
    limits = WorkspaceLimits(settings_in(redis), {}, lambda: 1.0)
    with pytest.raises(StoreUnavailable):
        await limits.choose("T1", "U1", {(WORKSPACE, IMAGES): 25})
    assert await limits.chosen("T1") == {}
    await redis.aclose()
