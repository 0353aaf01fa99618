"""Which notices about limits were told, on a real server."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import RedisNotices
from bot.adapters.redis.notices import CLAIMED_FOR
from bot.adapters.redis.schema import WORKSPACES, notices_key, told_key
from bot.domain.limits import Quota
from bot.ports import BudgetNotice

NOTICE = BudgetNotice("T1", "2026-11", Quota.CHANNEL, "C1", "T1.U1.one", 2)
WORKSPACE = NOTICE._replace(quota=Quota.WORKSPACE, whom="")


@pytest.fixture
async def notices(redis: Redis) -> RedisNotices:
    await redis.zadd(WORKSPACES, {"T0": 1.0, "T1": 1.0, "T2": 1.0})
    return RedisNotices(redis, 5.0)


async def run_out(redis: Redis) -> None:
    """All that is claimed was claimed long ago."""
    for field, text in (await redis.hgetall(notices_key("T1"))).items():
        await redis.hset(notices_key("T1"), field, json.dumps({**json.loads(text), "until": 1000}))


async def test_of_many_at_once_one_tells_and_nobody_does_once_it_was_told(
    notices: RedisNotices, redis: Redis
) -> None:
    claims = await asyncio.gather(*(notices.claim(NOTICE) for _ in range(10)))
    assert sorted(claims) == [False] * 9 + [True]
    assert await notices.claim(NOTICE._replace(period="2026-12"))
    await notices.told(NOTICE)
    assert not await notices.claim(NOTICE)
    assert await redis.smembers(told_key("T1", "2026-11")) == {"channel:C1"}
    assert list(await redis.hgetall(notices_key("T1"))) == ["2026-12 channel:C1"]
    for key in (told_key("T1", "2026-11"), notices_key("T1")):
        assert await redis.ttl(key) > 69 * 86_400


async def test_what_was_not_told_in_time_is_told_by_another(
    notices: RedisNotices, redis: Redis
) -> None:
    for notice in (NOTICE, WORKSPACE):
        assert await notices.claim(notice)
    assert await notices.untold() == []
    await run_out(redis)
    assert sorted(await notices.untold()) == sorted([NOTICE, WORKSPACE])
    claims = await asyncio.gather(*(notices.claim(NOTICE) for _ in range(10)))
    assert claims.count(True) == 1
    await notices.drop(WORKSPACE)
    assert await notices.untold() == []
    assert await notices.claim(WORKSPACE)  # it is so again


async def test_what_was_told_just_before_a_process_ended_is_not_told_again(
    notices: RedisNotices, redis: Redis
) -> None:
    await notices.claim(NOTICE)
    await redis.sadd(told_key("T1", "2026-11"), "channel:C1")
    assert not await notices.claim(NOTICE)
    assert not await redis.exists(notices_key("T1"))


@pytest.mark.parametrize(
    "text", ["x", "[]", "{}", "null", '{"session":1}', '{"session":"a","attempt":"b","until":0}']
)
async def test_what_somebody_broke_hides_no_other_and_is_claimed_anew(
    notices: RedisNotices, redis: Redis, text: str
) -> None:
    await notices.claim(WORKSPACE)
    await run_out(redis)
    await redis.hset(notices_key("T1"), "2026-11 channel:C1", text)
    unheard = '{"session":"a","attempt":1,"until":0}'
    await redis.hset(notices_key("T1"), "2026-11 unheard:C1", unheard)
    await redis.set(notices_key("T0"), "of another type")
    assert await notices.untold() == [WORKSPACE]
    assert await notices.claim(NOTICE)


async def test_a_claim_of_a_clock_that_was_ahead_ends(notices: RedisNotices, redis: Redis) -> None:
    far = int(time.time()) + 10 * CLAIMED_FOR
    text = f'{{"session":"a","attempt":1,"until":{far}}}'
    await redis.hset(notices_key("T1"), "2026-11 channel:C1", text)
    assert len(await notices.untold()) == 1
    assert await notices.claim(NOTICE)
