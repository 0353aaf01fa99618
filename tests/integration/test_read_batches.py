"""Reads that share a round trip, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ReadOnlyError

from bot.adapters.redis.read_batches import ReadBatches
from bot.domain.errors import StoreBroken, StoreUnavailable
from tests.support.metrics import Counted


async def round_trips(redis: Redis, do: Callable[[], Awaitable[Any]]) -> int:
    """How many connections were taken from the pool."""
    pool: Any = redis.connection_pool
    take, taken = pool.get_connection, 0

    async def counted(*args: Any, **options: Any) -> Any:
        nonlocal taken
        taken += 1
        return await take(*args, **options)

    pool.get_connection = counted
    try:
        await do()
    finally:
        del pool.get_connection
    return taken


async def test_reads_of_one_moment_share_a_round_trip_and_each_has_its_answer(
    redis: Redis,
) -> None:
    reads = ReadBatches(redis, 5.0)
    await redis.hset("h", mapping={"a": "1", "b": "2"})
    await redis.set("s", "text")
    found: list[Any] = []

    async def ask() -> None:
        found.extend(
            await asyncio.gather(
                reads.read("HGETALL", "h"),
                reads.read("HGETALL", "none"),
                reads.read("HMGET", "h", "b", "c"),
                reads.read("GETEX", "s", "EX", 60),
                reads.read("GET", "none"),
            )
        )

    assert await round_trips(redis, ask) == 1
    assert found == [{"a": "1", "b": "2"}, {}, ["2", None], "text", None]
    assert 0 < await redis.ttl("s") <= 60


async def test_more_reads_than_one_pipeline_takes(redis: Redis) -> None:
    reads = ReadBatches(redis, 5.0)
    await redis.mset({f"k{i}": str(i) for i in range(1_200)})
    found = await asyncio.gather(*(reads.read("GET", f"k{i}") for i in range(1_200)))
    assert found == [str(i) for i in range(1_200)]


async def test_a_read_that_fails_fails_alone(redis: Redis) -> None:
    reads = ReadBatches(redis, 5.0)
    await redis.set("s", "text")
    answers = await asyncio.gather(
        reads.read("HGETALL", "s"), reads.read("GET", "s"), return_exceptions=True
    )
    assert isinstance(answers[0], StoreUnavailable)
    assert answers[1] == "text"


async def test_who_gives_up_does_not_hold_up_the_others(redis: Redis) -> None:
    reads = ReadBatches(redis, 5.0)
    await redis.set("s", "text")
    gives_up = asyncio.create_task(reads.read("GET", "s"))
    stays = asyncio.create_task(reads.read("GET", "s"))
    await asyncio.sleep(0)
    gives_up.cancel()
    assert await stays == "text"
    with pytest.raises(asyncio.CancelledError):
        await gives_up


async def test_a_server_that_is_away_fails_all_and_counts_once() -> None:
    reads, counted = ReadBatches(Redis.from_url("redis://127.0.0.1:1"), 5.0), Counted()
    failed = await asyncio.gather(
        *(reads.read("GET", "s") for _ in range(50)), return_exceptions=True
    )
    assert [type(each) for each in failed] == [StoreUnavailable] * 50
    told = counted.changed("imagine_store_errors")
    assert told == {"imagine_store_errors_total kind=connection": 1}


async def test_each_read_that_the_server_refuses_counts(redis: Redis) -> None:
    reads, counted = ReadBatches(redis, 5.0), Counted()
    await redis.set("s", "text")
    asked = (reads.read(*command) for command in (("HGETALL", "s"), ("GET", "s"), ("HGET", "s")))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in answers] == [StoreBroken, str, StoreUnavailable]
    assert "s is of another type" in str(answers[0])
    told = counted.changed("imagine_store_errors")
    assert told == {
        "imagine_store_errors_total kind=broken": 1,
        "imagine_store_errors_total kind=refused": 1,
    }


async def test_a_replica_is_asked_again_by_a_command_of_its_own(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = ReadBatches(redis, 5.0)
    await redis.set("s", "text")

    async def refused(*args: Any, **options: Any) -> list[Any]:
        return [ReadOnlyError("READONLY")]

    monkeypatch.setattr("redis.asyncio.client.Pipeline.execute", refused)
    assert await reads.read("GETEX", "s", "EX", 60) == "text"


async def test_scripts_share_a_round_trip_also_on_a_server_that_does_not_know_them(
    redis: Redis,
) -> None:
    reads, script = ReadBatches(redis, 5.0), redis.register_script("return {KEYS[1], ARGV[1]}")

    async def ask() -> None:
        answers = await asyncio.gather(*(reads.run(script, ["k"], [str(i)]) for i in range(3)))
        assert answers == [["k", "0"], ["k", "1"], ["k", "2"]]

    assert await round_trips(redis, ask) > 1
    assert await round_trips(redis, ask) == 1
    await redis.script_flush()
    await ask()


async def test_a_script_that_fails_fails_alone(redis: Redis) -> None:
    reads, script = ReadBatches(redis, 5.0), redis.register_script("return redis.error_reply('no')")
    with pytest.raises(StoreUnavailable):
        await reads.run(script, [], [])
