"""The bots of two workspaces at one Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.adapters.redis import RedisServerClaim, redis_client
from bot.ops import startup
from bot.ops.startup import StartupError, wait_for_own_redis


@asynccontextmanager
async def claim(
    url: str, installation: str, patience: float = 2.0
) -> AsyncIterator[RedisServerClaim]:
    redis = redis_client(url, patience)
    yield RedisServerClaim(redis, installation, patience)
    await redis.aclose()


async def test_the_processes_of_one_bot_share_a_redis_and_another_bot_does_not_start(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "WAIT_FOR_OUTSIDE", 0.0)
    stop = asyncio.Event()
    async with claim(redis_url, "T1") as web, claim(redis_url, "T1") as worker:
        assert await wait_for_own_redis(web.other, stop)
        assert await wait_for_own_redis(worker.other, stop)
        async with claim(redis_url, "T2") as other:
            with pytest.raises(StartupError, match=r"another workspace \(T1\).*of its own"):
                await wait_for_own_redis(other.other, stop)
        assert await worker.other() == ""


async def test_another_bot_starts_once_the_first_is_gone(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.adapters.redis.server_claim.CLAIMED_FOR", 0.3)
    async with claim(redis_url, "T1") as gone, claim(redis_url, "T2") as other:
        assert await gone.other() == ""
        assert await other.other() == "T1"
        assert await wait_for_own_redis(other.other, asyncio.Event())
        with caplog.at_level(logging.ERROR):
            await gone.renew()
        assert "the bot of T2 uses this Redis too" in caplog.text


async def test_a_redis_that_is_away_keeps_nobody_from_starting() -> None:
    async with claim("redis://127.0.0.1:1", "T1", 0.5) as away:
        assert await wait_for_own_redis(away.other, asyncio.Event())


async def test_a_process_that_waits_for_its_redis_can_be_stopped(redis_url: str) -> None:
    stop = asyncio.Event()
    stop.set()
    async with claim(redis_url, "T1") as first, claim(redis_url, "T2") as other:
        assert await first.other() == ""
        assert not await wait_for_own_redis(other.other, stop)


async def test_a_bot_that_stops_gives_its_redis_free_and_takes_no_other_ones(
    redis_url: str,
) -> None:
    async with claim(redis_url, "T1") as first, claim(redis_url, "T2") as second:
        assert await first.other() == ""
        await second.release()
        assert await second.other() == "T1"
        await first.release()
        assert await second.other() == ""


async def test_a_bot_stops_while_redis_is_away() -> None:
    async with claim("redis://127.0.0.1:1", "T1", 0.5) as away:
        await away.release()
