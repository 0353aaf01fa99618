"""Commands that share a round trip, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ReadOnlyError

from bot.adapters.redis.command_batches import CommandBatches
from bot.adapters.redis.server import redis_client
from bot.adapters.redis_connections import redis_pool
from bot.domain.errors import StoreBroken, StoreUnavailable
from tests.support.metrics import Counted

_INCREMENT = "return redis.call('INCR', KEYS[1])"


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
    batches = CommandBatches(redis, 5.0)
    await redis.hset("h", mapping={"a": "1", "b": "2"})
    await redis.set("s", "text")
    found: list[Any] = []

    async def ask() -> None:
        found.extend(
            await asyncio.gather(
                batches.run_command("HGETALL", "h"),
                batches.run_command("HGETALL", "none"),
                batches.run_command("HMGET", "h", "b", "c"),
                batches.run_command("GETEX", "s", "EX", 60),
                batches.run_command("GET", "none"),
            )
        )

    assert await round_trips(redis, ask) == 1
    assert found == [{"a": "1", "b": "2"}, {}, ["2", None], "text", None]
    assert 0 < await redis.ttl("s") <= 60


async def test_more_reads_than_one_pipeline_takes(redis: Redis) -> None:
    batches = CommandBatches(redis, 5.0)
    await redis.mset({f"k{i}": str(i) for i in range(1_200)})
    found = await asyncio.gather(*(batches.run_command("GET", f"k{i}") for i in range(1_200)))
    assert found == [str(i) for i in range(1_200)]


async def test_a_read_that_fails_fails_alone(redis: Redis) -> None:
    batches = CommandBatches(redis, 5.0)
    await redis.set("s", "text")
    answers = await asyncio.gather(
        batches.run_command("HGETALL", "s"), batches.run_command("GET", "s"), return_exceptions=True
    )
    assert isinstance(answers[0], StoreUnavailable)
    assert answers[1] == "text"


async def test_who_gives_up_does_not_hold_up_the_others(redis: Redis) -> None:
    batches = CommandBatches(redis, 5.0)
    await redis.set("s", "text")
    gives_up = asyncio.create_task(batches.run_command("GET", "s"))
    stays = asyncio.create_task(batches.run_command("GET", "s"))
    await asyncio.sleep(0)
    gives_up.cancel()
    assert await stays == "text"
    with pytest.raises(asyncio.CancelledError):
        await gives_up


async def test_a_server_that_is_away_fails_all_and_counts_once() -> None:
    batches, counted = CommandBatches(Redis.from_url("redis://127.0.0.1:1"), 5.0), Counted()
    failed = await asyncio.gather(
        *(batches.run_command("GET", "s") for _ in range(50)), return_exceptions=True
    )
    assert [type(each) for each in failed] == [StoreUnavailable] * 50
    told = counted.changed("imagine_store_errors")
    assert told == {"imagine_store_errors_total kind=connection": 1}


async def test_each_read_that_the_server_refuses_counts(redis: Redis) -> None:
    batches, counted = CommandBatches(redis, 5.0), Counted()
    await redis.set("s", "text")
    asked = (
        batches.run_command(*command) for command in (("HGETALL", "s"), ("GET", "s"), ("HGET", "s"))
    )
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
    batches = CommandBatches(redis, 5.0)
    await redis.set("s", "text")

    async def refused(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        raise ReadOnlyError("READONLY")

    monkeypatch.setattr("redis.asyncio.connection.AbstractConnection.read_response", refused)
    assert await batches.run_command("GETEX", "s", "EX", 60) == "text"


async def test_what_is_given_up_while_all_connections_are_taken_is_not_sent(
    redis: Any, redis_url: str
) -> None:
    client = Redis.from_pool(redis_pool(redis_url, decode_responses=True, max_connections=1))
    batches, script = CommandBatches(client, 5.0), client.register_script(_INCREMENT)
    await batches.run_script(script, ["known"], [])
    pool: Any = client.connection_pool
    taken = await pool.get_connection()
    gives_up = asyncio.create_task(batches.run_script(script, ["given up"], []))
    stays = asyncio.create_task(batches.run_script(script, ["wanted"], []))
    await asyncio.sleep(0.05)
    gives_up.cancel()
    await pool.release(taken)
    assert await stays == 1
    assert await redis.mget("wanted", "given up") == ["1", None]
    await client.aclose()


async def test_what_is_given_up_while_the_connection_is_lost_is_not_sent_again(
    redis: Any, redis_url: str
) -> None:
    client = redis_client(redis_url, 5.0)
    batches, script = CommandBatches(client, 5.0), client.register_script(_INCREMENT)
    await batches.run_script(script, ["known"], [])
    await redis.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
    gives_up = asyncio.create_task(batches.run_script(script, ["given up"], []))
    stays = asyncio.create_task(batches.run_script(script, ["wanted"], []))
    await asyncio.sleep(0.05)
    gives_up.cancel()
    await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await redis.execute_command("CLIENT", "UNPAUSE")
    assert await stays == 1
    assert await redis.mget("wanted", "given up") == ["1", None]
    await client.aclose()


async def test_a_connection_with_answers_that_nobody_read_is_not_used_again(
    redis: Any, redis_url: str
) -> None:
    client = redis_client(redis_url, 0.2)
    batches = CommandBatches(client, 0.2)
    await redis.mset({"a": "1", "b": "2"})
    assert await batches.run_command("GET", "a") == "1"
    await redis.execute_command("CLIENT", "PAUSE", 300, "ALL")
    with pytest.raises(StoreUnavailable):
        await batches.run_command("GET", "a")
    await asyncio.sleep(0.2)
    assert await batches.run_command("GET", "b") == "2"
    await client.aclose()


async def test_scripts_share_a_round_trip_also_on_a_server_that_does_not_know_them(
    redis: Redis,
) -> None:
    batches, script = CommandBatches(redis, 5.0), redis.register_script("return {KEYS[1], ARGV[1]}")

    async def ask() -> None:
        answers = await asyncio.gather(
            *(batches.run_script(script, ["k"], [str(i)]) for i in range(3))
        )
        assert answers == [["k", "0"], ["k", "1"], ["k", "2"]]

    assert await round_trips(redis, ask) > 1
    assert await round_trips(redis, ask) == 1
    await redis.script_flush()
    await ask()


async def test_a_script_that_fails_fails_alone(redis: Redis) -> None:
    batches, script = (
        CommandBatches(redis, 5.0),
        redis.register_script("return redis.error_reply('no')"),
    )
    with pytest.raises(StoreUnavailable):
        await batches.run_script(script, [], [])
