"""More callers than connections to Redis, some of whom give up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.redis_connections import WaitingPool
from tests.fakes import eventually


@pytest.fixture
async def pool(redis_url: str) -> AsyncIterator[Any]:
    """One connection for all."""
    pool: Any = WaitingPool.from_url(redis_url, max_connections=1, timeout=None)
    yield pool
    await pool.aclose()


def waiting(pool: Any, number: int) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(pool.get_connection()) for _ in range(number)]


async def all_in_line(pool: Any, number: int) -> None:
    await eventually(lambda: len(pool._condition._waiters) == number, timeout=20)


async def test_callers_get_the_connection_one_after_the_other(pool: Any) -> None:
    connection = await pool.get_connection()
    callers = waiting(pool, 3)
    await all_in_line(pool, 3)
    for caller in callers:
        await pool.release(connection)
        assert await asyncio.wait_for(caller, 20) is connection
    await pool.release(connection)


@pytest.mark.parametrize("gone", [1, 3])
async def test_the_turn_of_a_caller_who_gives_up_as_it_comes_is_passed_on(
    pool: Any, gone: int
) -> None:
    connection = await pool.get_connection()
    *leaving, staying = waiting(pool, gone + 1)
    await all_in_line(pool, gone + 1)
    await pool.release(connection)  # it is the first one's turn, who does not know it yet
    for caller in leaving:
        caller.cancel()
    assert await asyncio.wait_for(staying, 20) is connection
    assert all(caller.cancelled() for caller in leaving)
    await pool.release(connection)


async def test_a_caller_who_gives_up_earlier_takes_no_turn(pool: Any) -> None:
    connection = await pool.get_connection()
    leaving, staying = waiting(pool, 2)
    await all_in_line(pool, 2)
    leaving.cancel()
    await asyncio.wait({leaving})
    assert not staying.done()
    await pool.release(connection)
    assert await asyncio.wait_for(staying, 20) is connection
    await pool.release(connection)


async def test_who_gives_the_connection_back_does_not_take_it_from_who_waits(pool: Any) -> None:
    connection = await pool.get_connection()
    (caller,) = waiting(pool, 1)
    await all_in_line(pool, 1)
    await pool.release(connection)
    again = asyncio.create_task(pool.get_connection())
    assert await asyncio.wait_for(caller, 20) is connection
    assert not again.done()
    await pool.release(connection)
    assert await asyncio.wait_for(again, 20) is connection
    await pool.release(connection)


async def test_an_idle_connection_that_has_died_is_opened_again(pool: Any) -> None:
    connection = await pool.get_connection()
    await pool.release(connection)
    connection._writer.close()
    await connection._writer.wait_closed()
    assert await pool.get_connection() is connection
    await connection.send_command("PING")
    assert await connection.read_response() == b"PONG"
    await pool.release(connection)


async def test_a_connection_that_cannot_be_opened_is_given_back(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: Any, connection: Any) -> None:
        raise ConnectionError

    await pool.release(await pool.get_connection())
    with monkeypatch.context() as broken:
        broken.setattr(WaitingPool, "ensure_connection", refuse)
        with pytest.raises(ConnectionError):
            await pool.get_connection()
    await pool.release(await asyncio.wait_for(pool.get_connection(), 20))


async def test_a_connection_that_is_to_be_opened_anew_is_closed_as_it_is_given_back(
    pool: Any,
) -> None:
    connection = await pool.get_connection()
    connection.mark_for_reconnect()
    await pool.release(connection)
    assert not connection.is_connected
    assert await pool.get_connection() is connection
    await pool.release(connection)
