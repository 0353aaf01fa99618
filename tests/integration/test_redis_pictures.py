"""`RedisPictures` on the real server: one copy for all sessions, and who reads it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.redis import RedisPictures, redis_client
from bot.adapters.redis.pictures import READERS_TTL
from bot.adapters.redis.schema import picture_key, readers_key
from bot.domain.errors import StoreUnavailable
from bot.domain.images import BaseImage

TTL = 500
PICTURE = BaseImage(bytes(range(256)), "image/jpeg", width=1600, height=1000)


@pytest.fixture
def pictures(redis: Any) -> RedisPictures:
    return RedisPictures(redis, ttl=TTL, patience=5)


async def test_a_picture_comes_back_as_it_was_kept(pictures: RedisPictures) -> None:
    assert await pictures.load("T1", "F9") is None
    await pictures.keep("T1", "U1", "F9", PICTURE)
    assert await pictures.load("T1", "F9") == PICTURE
    assert await pictures.load("T2", "F9") is None
    assert await pictures.load("T1", "F8") is None


async def test_however_often_it_is_kept_there_is_one_copy(
    pictures: RedisPictures, redis: Any
) -> None:
    large = BaseImage(b"x" * 3_000_000, "image/jpeg", width=3000, height=2000)
    for _ in range(8):
        await pictures.keep("T1", "U1", "F9", large)
    assert [key async for key in redis.scan_iter("*")] == [picture_key("T1", "F9")]
    assert await redis.memory_usage(picture_key("T1", "F9")) < 6_000_000


async def test_loading_renews_its_time(pictures: RedisPictures, redis: Any) -> None:
    await pictures.keep("T1", "U1", "F9", PICTURE)
    await redis.expire(picture_key("T1", "F9"), 9)
    await pictures.load("T1", "F9")
    assert TTL - 9 < await redis.ttl(picture_key("T1", "F9")) <= TTL


async def test_one_run_reads_at_a_time(pictures: RedisPictures, redis: Any) -> None:
    assert await pictures.begin_reading("T1", "F9", "one", ())
    assert await pictures.begin_reading("T1", "F9", "one", ())
    assert not await pictures.begin_reading("T1", "F9", "two", ())
    assert await pictures.begin_reading("T1", "F8", "two", ())
    assert await pictures.begin_reading("T1", "F9", "two", {"one", "another"})
    assert await pictures.readers("T1", "F9") == {"one", "two"}
    assert 0 < await redis.ttl(readers_key("T1", "F9")) <= READERS_TTL


async def test_readers_end_or_are_forgotten(pictures: RedisPictures) -> None:
    await pictures.begin_reading("T1", "F9", "one", ())
    await pictures.begin_reading("T1", "F9", "two", {"one"})
    await pictures.end_reading("T1", "F9", "two")
    await pictures.end_reading("T1", "F9", "none")
    assert await pictures.readers("T1", "F9") == {"one"}
    await pictures.forget_readers("T1", "F9")
    await pictures.forget_readers("T1", "F9")
    assert await pictures.readers("T1", "F9") == set()


async def test_a_server_that_is_away_is_told_as_such() -> None:
    client = redis_client("redis://127.0.0.1:9/0", patience=0.3)
    pictures = RedisPictures(client, ttl=TTL, patience=0.3)
    with pytest.raises(StoreUnavailable):
        await pictures.load("T1", "F9")
    with pytest.raises(StoreUnavailable):
        await pictures.begin_reading("T1", "F9", "one", ())
    await client.aclose()
