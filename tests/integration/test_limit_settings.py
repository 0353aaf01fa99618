"""The limits that admins set, in a real Valkey."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import RecordPolicy, RedisLimitSettings, RedisRecord
from bot.adapters.redis.record_schema import person_key, record_key, words_key
from bot.adapters.redis.schema import WORKSPACES, limits_key
from bot.domain.errors import StoreUnavailable
from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind
from bot.domain.record import PromptRecording, settings_changed
from bot.ops.audit.rows import rows_of
from bot.service.limits import WorkspaceLimits

IMAGES, BUDGET = LimitKind.USER_IMAGES_PER_DAY, LimitKind.CHANNEL_BUDGET_PER_MONTH
GENERAL, BOB = Scope(ScopeKind.CHANNEL, "C1"), Scope(ScopeKind.USER, "U2")


FIELDS = [(WORKSPACE, IMAGES), (GENERAL, BUDGET), (BOB, IMAGES)]
SET = [settings_changed("U1", IMAGES.value, None, 25)]


async def test_what_is_set_comes_back_and_another_workspace_has_its_own(redis: Any) -> None:
    settings = RedisLimitSettings(redis, 5.0)
    limits = {
        (WORKSPACE, IMAGES): ChosenLimit(25, "U1", 1.5),
        (GENERAL, BUDGET): ChosenLimit(0, "U2", 2.0),
    }
    assert await settings.choose("T1", {}, limits, SET)
    assert await settings.chosen("T1", FIELDS) == limits
    assert await settings.chosen("T1", FIELDS[:1]) == {FIELDS[0]: limits[FIELDS[0]]}
    assert await settings.chosen("T2", FIELDS) == {}
    assert await settings.choose("T1", limits, dict.fromkeys(limits), SET)
    assert await settings.chosen("T1", FIELDS) == {}
    assert not await redis.exists(limits_key("T1"))


async def test_what_another_admin_has_set_meanwhile_is_not_overwritten_unseen(redis: Any) -> None:
    settings = RedisLimitSettings(redis, 5.0)
    field = (WORKSPACE, IMAGES)
    theirs, mine = {field: ChosenLimit(5, "U1", 1.0)}, {field: ChosenLimit(7, "U2", 2.0)}
    assert await settings.choose("T1", {}, theirs, SET)
    assert not await settings.choose("T1", {}, mine, SET)
    assert await settings.chosen("T1", FIELDS) == theirs
    assert await redis.xlen(record_key("T1")) == 1
    assert await settings.choose("T1", theirs, mine, SET)
    assert await settings.chosen("T1", FIELDS) == mine


async def test_each_change_is_in_the_record_with_its_values_and_of_two_at_once_both_are(
    redis: Any,
) -> None:
    limits = WorkspaceLimits(RedisLimitSettings(redis, 5.0), {}, lambda: 1.0)
    await asyncio.gather(
        *(limits.choose("T1", f"U{n}", {(WORKSPACE, IMAGES): n}) for n in range(10, 13))
    )
    await limits.choose("T1", "U1", {(GENERAL, BUDGET): 5, (BOB, IMAGES): 3})
    assert await limits.choose("T1", "U1", {(BOB, IMAGES): 3}) == {}  # as when it comes twice
    rows = [row.values async for row in rows_of(RedisRecord(redis, 5.0, RecordPolicy()), "T1")]
    facts = [json.loads(row["other"]) for row in rows]
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    of_one = facts[:3]
    assert [fact.get("before") for fact in of_one] == [None, *(f["after"] for f in of_one[:2])]
    assert [int(row["person"][1:]) for row in rows[:3]] == [fact["after"] for fact in of_one]
    assert (rows[3]["channel"], facts[3]["after"]) == ("C1", 5)
    assert facts[4] == {"about": "U2", "after": 3, "setting": IMAGES}
    assert '"U2"' not in str(await redis.xrange(record_key("T1")))
    assert await redis.zscore(WORKSPACES, "T1")  # where the sealer looks


async def test_who_a_limit_is_for_is_kept_where_prompts_are_not(redis: Any) -> None:
    policy = RecordPolicy(600, PromptRecording.NONE)
    limits = WorkspaceLimits(RedisLimitSettings(redis, 5.0, policy), {}, lambda: 1.0)
    await limits.choose("T1", "U1", {(BOB, IMAGES): 3})
    (row,) = [row async for row in rows_of(RedisRecord(redis, 5.0, policy), "T1")]
    assert json.loads(row.values["other"])["about"] == "U2"
    assert await redis.exists(words_key("T1.U2.others"))  # deleted with that person's other keys


@pytest.mark.parametrize("key", [record_key("T1"), person_key("T1", "U1")])
async def test_a_setting_that_cannot_be_recorded_is_not_set(redis: Any, key: str) -> None:
    await redis.zadd(key, {"a": 1})
    limits = WorkspaceLimits(RedisLimitSettings(redis, 5.0), {}, lambda: 1.0)
    with pytest.raises(StoreUnavailable):
        await limits.choose("T1", "U1", {(BOB, IMAGES): 3})
    assert not await redis.exists(limits_key("T1"), words_key("T1.U2.others"))


async def test_what_only_a_newer_version_knows_is_left_alone(redis: Any) -> None:
    key = limits_key("T1")
    await redis.hset(key, "planet:mars/rockets", "{}")
    newer = {"value": 4, "by": "U1", "at": 1.0, "until": 9}
    await redis.hset(key, f"workspace/{IMAGES}", json.dumps(newer))
    settings = RedisLimitSettings(redis, 5.0)
    assert await settings.chosen("T1", FIELDS) == {FIELDS[0]: ChosenLimit(4, "U1", 1.0)}


async def test_without_redis_it_says_so() -> None:
    async with Redis.from_url("redis://127.0.0.1:1") as redis:
        with pytest.raises(StoreUnavailable):
            await RedisLimitSettings(redis, 0.2).chosen("T1", FIELDS)
