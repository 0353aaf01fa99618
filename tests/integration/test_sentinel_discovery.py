"""Sentinels that are slow, silent or gone, and callers who give up while the primary is looked
for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.adapters.queue.connection import bullmq_client
from bot.adapters.redis_connections import SentinelPool
from tests.fakes import eventually
from tests.support.processes import free_port
from tests.support.redis_servers import Server, sentinel, server

TIMEOUT = 40.0
PATIENCE = 0.7
"""Seconds: less than what several silent Sentinels take, one after the other."""
CALLERS = 30
"""Fewer than the pool has connections."""


@dataclass
class Link:
    """Between the program and a Sentinel. Each of its answers comes `delay` seconds late; without
    a delay, none comes. `hangs_up` at each question."""

    port: int
    delay: float | None = 0.0
    hangs_up: bool = False
    asked: int = 0
    """How often for the primary."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        answering = asyncio.create_task(self._answer(there, writer))
        try:
            while (data := await reader.read(65_536)) and not self.hangs_up:
                self.asked += b"masters" in data.lower()
                back.write(data)
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            answering.cancel()
            writer.close()
            back.close()

    async def _answer(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await there.read(65_536):
            if self.delay is not None:
                await asyncio.sleep(self.delay)
                writer.write(data)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def linked(
    watching: Server, delay: float | None = 0.0, hangs_up: bool = False
) -> AsyncIterator[tuple[Link, int]]:
    """The link, and the port at which it listens."""
    link = Link(watching.port, delay, hangs_up)
    async with await asyncio.start_server(link.serve, "127.0.0.1", 0) as listener:
        try:
            yield link, listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
            await link.close()


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("watched")
    with server(folder / "primary") as primary, sentinel(folder / "its", primary) as watching:
        yield watching


@asynccontextmanager
async def client_of(*ports: int, **options: str) -> AsyncIterator[Redis]:
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    query = "&".join(f"{name}={value}" for name, value in options.items())
    client = bullmq_client(f"redis+sentinel://{hosts}/imagine?{query}")
    try:
        yield client
    finally:
        await client.aclose()


async def answered(client: Redis, patience: float = PATIENCE) -> bool:
    """Whether it does before the caller gives up."""
    untyped: Any = client
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            return bool(await untyped.ping())
    return False


async def works_in_the_end(client: Redis) -> None:
    for _ in range(20):
        if await answered(client):
            return
    raise TimeoutError


@pytest.mark.parametrize("kind", ["silent", "late", "hanging up", "gone"])
async def test_callers_who_give_up_leave_the_next_a_sentinel_that_answers(
    watching: Server, kind: str
) -> None:
    """Each gives up before the one that answers has its turn."""
    async with AsyncExitStack() as stack:
        ports = [free_port() for _ in range(4)]
        if kind != "gone":
            delay, hangs_up = {"silent": None, "late": 0.9}.get(kind, 0.0), kind == "hanging up"
            links = [linked(watching, delay, hangs_up) for _ in ports]
            ports = [(await stack.enter_async_context(link))[1] for link in links]
        async with client_of(*ports, watching.port) as client:
            await works_in_the_end(client)
            assert await answered(client, TIMEOUT)


async def test_callers_at_one_time_ask_a_slow_sentinel_once(watching: Server) -> None:
    async with linked(watching, delay=0.3) as (link, port), client_of(port) as client:
        answers = await asyncio.gather(*(answered(client, TIMEOUT) for _ in range(CALLERS)))
        assert all(answers)
        assert link.asked < 3


async def test_callers_who_are_cancelled_at_any_time_harm_nobody(watching: Server) -> None:
    async with linked(watching, delay=0.05) as (_, port), client_of(port) as client:
        for n in range(20):
            pool: Any = client.connection_pool
            callers = [asyncio.create_task(answered(client, TIMEOUT)) for _ in range(3)]
            await asyncio.sleep(n * 0.008)
            for caller in callers[:2]:
                caller.cancel()
            assert await asyncio.wait_for(callers[2], TIMEOUT)
            await asyncio.gather(*callers, return_exceptions=True)
            assert not pool._in_use_connections
            await pool.disconnect()


async def test_sentinels_that_are_all_late_are_given_the_time_that_the_url_says(
    watching: Server,
) -> None:
    async with (
        linked(watching, delay=0.6) as (_, port),
        client_of(port, sentinel_socket_timeout="20") as client,
    ):
        assert await answered(client, TIMEOUT)


async def test_a_sentinel_that_answers_again_is_asked_again(watching: Server) -> None:
    async with linked(watching, delay=None) as (link, port), client_of(port) as client:
        assert not await answered(client)
        link.delay = 0.0
        await works_in_the_end(client)


async def test_callers_of_a_pool_that_is_closed_are_told(watching: Server) -> None:
    """They are not cancelled: that would end tasks that nobody cancelled."""
    async with linked(watching, delay=None) as (link, port):
        pool = SentinelPool(f"redis+sentinel://127.0.0.1:{port}/imagine?sentinel_socket_timeout=40")
        callers = [asyncio.create_task(pool.get_master_address()) for _ in range(3)]
        await eventually(lambda: link._tasks, timeout=TIMEOUT)
        await pool.aclose()
        errors = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(error, RedisConnectionError) for error in errors)
