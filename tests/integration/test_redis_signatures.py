"""Signatures of requests, in a real Valkey."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.adapters.redis import RedisSignatures, redis_client
from bot.adapters.redis.schema import signature_key
from bot.domain.errors import StoreUnavailable
from tests.support.lost_answers import lose_first_answer


@asynccontextmanager
async def signatures(url: str, patience: float = 5.0) -> AsyncIterator[RedisSignatures]:
    redis = redis_client(url, patience)
    yield RedisSignatures(redis, patience)
    await redis.aclose()


async def test_of_many_at_once_one_is_the_first(redis_url: str) -> None:
    async with signatures(redis_url) as one, signatures(redis_url) as other:
        asked = [process.add("v0=ab", 360) for process in (one, other) for _ in range(20)]
        assert sorted(await asyncio.gather(*asked)) == [False] * 39 + [True]


async def test_it_is_kept_for_so_long_and_no_longer(redis_url: str) -> None:
    async with signatures(redis_url) as process, Redis.from_url(redis_url) as redis:
        await process.add("v0=ab", 359.5)
        assert 355 < await redis.ttl(signature_key("v0=ab")) <= 360
        assert not await process.add("v0=ab", 9_999)
        assert await redis.ttl(signature_key("v0=ab")) <= 360


async def test_what_was_removed_is_new_again(redis_url: str) -> None:
    async with signatures(redis_url) as process:
        assert await process.add("v0=ab", 360)
        await process.remove("v0=ab")
        assert await process.add("v0=ab", 360)


async def test_a_lost_answer_does_not_make_a_first_request_a_second(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client asks again by itself where the connection broke before the answer."""
    async with signatures(redis_url) as process:
        await process.add("v0=warm", 360)
        lost = lose_first_answer(monkeypatch, "SET")
        assert await process.add("v0=ab", 360)
        assert len(lost) == 1
        assert not await process.add("v0=ab", 360)


async def test_a_redis_that_does_not_answer_takes_a_fraction_of_a_second(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with EmbeddedRedis(tmp_path) as server:
        async with signatures(server.url, patience=0.3) as process:
            await process.add("v0=warm", 360)
            os.kill(server.pid, signal.SIGSTOP)
            try:
                for call in (process.add("v0=ab", 360), process.remove("v0=ab")):
                    started = loop.time()
                    with pytest.raises(StoreUnavailable):
                        await call
                    assert loop.time() - started < 2.0
            finally:
                os.kill(server.pid, signal.SIGCONT)
