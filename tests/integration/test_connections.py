"""Connections that send their request slowly, or none: real sockets against the HTTP server."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot.ops.connections import ConnectionLimits
from bot.ops.serving import HttpServer, Monitoring
from tests.support.http import routes_for

LATE = 10.0
"""Seconds that a busy machine may add."""
SECRET = "secret"
HALF_OPEN = {
    "nothing": b"",
    "half a request line": b"POST /sla",
    "a line that never ends": b"POST /" + b"a" * 3000,
    "no end of the headers": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\n",
    "half a header": b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Le",
    "TLS": bytes.fromhex("1603010200010001fc0303"),
}
SLOW_BODIES = {
    "no body": b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
    "half a body": b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
    "half a chunk": b"POST /slack/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nab",
    "no last chunk": b"POST /slack/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nab\r\n",
    "where none is read": b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
    "where nothing is": b"PUT /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
    "until it may go on": b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
    b"Expect: 100-continue\r\n\r\n",
}
HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def trickle(self, data: bytes, every: float) -> None:
        """Send byte by byte, until the connection is cut."""
        for byte in data:
            if self._writer.is_closing():
                return
            self._writer.write(bytes([byte]))
            await asyncio.sleep(every)

    async def answer(self) -> int:
        """The status of the next answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await self._reader.readexactly(length)
        return int(head.split()[1])

    async def until_cut(self) -> bytes:
        """What the server still said."""
        try:
            async with asyncio.timeout(LATE):
                return await self._reader.read()
        except ConnectionError:
            return b""

    @property
    def is_cut(self) -> bool:
        return self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()


Connect = Callable[[], Awaitable[Client]]


@asynccontextmanager
async def served(limits: ConnectionLimits, *more: web.RouteDef) -> AsyncIterator[Connect]:
    """A server with the routes of a web process."""

    async def ping() -> None:
        return

    routes = [
        *routes_for(AsyncApp(token="xoxb-1", signing_secret=SECRET), SECRET),
        *Monitoring(ping, asyncio.Event()).routes(),
        *more,
    ]
    server = HttpServer(routes, 0, "127.0.0.1", limits=limits)
    port = await server.start()
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
        return clients[-1]

    try:
        yield connect
    finally:
        for client in clients:
            client.close()
        await server.stop()


@pytest.mark.parametrize("sent", HALF_OPEN.values(), ids=HALF_OPEN.keys())
async def test_a_request_whose_headers_do_not_come_is_cut(sent: bytes) -> None:
    async with served(ConnectionLimits(request_within=0.3)) as connect:
        client, started = await connect(), time.monotonic()
        client.send(sent)
        said = await client.until_cut()
        assert time.monotonic() - started < LATE
        assert said == b"" or said.startswith(b"HTTP/1.0 400")


@pytest.mark.parametrize("sent", SLOW_BODIES.values(), ids=SLOW_BODIES.keys())
async def test_a_request_whose_body_does_not_come_is_cut(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(ConnectionLimits(request_within=0.3)) as connect:
        client = await connect()
        client.send(sent)
        said = await client.until_cut()
        assert b" 500 " not in said
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "sent",
    [HEALTHZ, b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n" + b"a" * 99],
    ids=["headers", "body"],
)
async def test_bytes_that_trickle_in_win_no_time(sent: bytes) -> None:
    async with served(ConnectionLimits(request_within=0.5)) as connect:
        client = await connect()
        trickling = asyncio.create_task(client.trickle(sent, every=0.05))
        said = await client.until_cut()
        assert not trickling.done()
        assert b" 200 " not in said
        trickling.cancel()


async def test_a_slow_body_on_a_connection_that_was_used_before_is_cut() -> None:
    async with served(ConnectionLimits(request_within=0.3, kept_for=3600.0)) as connect:
        client = await connect()
        client.send(HEALTHZ)
        assert await client.answer() == 200
        client.send(SLOW_BODIES["half a body"])
        await client.until_cut()
        assert client.is_cut


async def test_a_connection_is_kept_for_the_next_request_and_not_for_ever() -> None:
    async with served(ConnectionLimits(request_within=0.1, kept_for=0.8)) as connect:
        client = await connect()
        for pause in (0.0, 0.3, 0.3):  # longer than a request may take
            await asyncio.sleep(pause)
            client.send(HEALTHZ)
            assert await client.answer() == 200
        started = time.monotonic()
        assert await client.until_cut() == b""
        assert 0.4 < time.monotonic() - started < LATE


async def test_headers_that_never_end_on_a_kept_connection_are_cut() -> None:
    async with served(ConnectionLimits(request_within=0.3, kept_for=3600.0)) as connect:
        client = await connect()
        client.send(HEALTHZ)
        assert await client.answer() == 200
        client.send(HALF_OPEN["half a header"])
        assert await client.until_cut() == b""


async def test_headers_that_trickle_in_on_a_kept_connection_win_no_time() -> None:
    async with served(ConnectionLimits(request_within=0.5, kept_for=3600.0)) as connect:
        client = await connect()
        client.send(HEALTHZ)
        assert await client.answer() == 200
        trickling = asyncio.create_task(client.trickle(HEALTHZ, every=0.05))
        assert await client.until_cut() == b""
        assert not trickling.done()
        trickling.cancel()


async def test_the_time_to_answer_does_not_count() -> None:
    release = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await release.wait()
        return web.Response(text="done")

    async with served(ConnectionLimits(request_within=0.2), web.get("/wait", wait)) as connect:
        client, other = await connect(), await connect()
        client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await other.until_cut() == b""  # which was given as long, and later
        release.set()
        assert await client.answer() == 200


async def test_who_never_reads_the_answer_is_cut() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"a" * 100_000)

    async with served(ConnectionLimits(kept_for=0.5), web.get("/endless", endless)) as connect:
        client = await connect()
        client.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(1.0)  # the server fills the buffers of both sides meanwhile
        assert (await client.until_cut()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [b"", HALF_OPEN["half a header"], SLOW_BODIES["half a body"]])
async def test_an_honest_request_is_answered_beside_hundreds_of_half_open_ones(sent: bytes) -> None:
    limits = ConnectionLimits(request_within=2.0, most_half_open=100)
    async with served(limits) as connect:
        honest = await connect()
        honest.send(HEALTHZ)
        assert await honest.answer() == 200
        half_open = [await connect() for _ in range(300)]
        for client in half_open:
            client.send(sent)
        started = time.monotonic()
        fresh = await connect()
        for client in (honest, fresh):
            client.send(HEALTHZ)
            assert await client.answer() == 200
        assert time.monotonic() - started < 2.0
        await asyncio.sleep(1.0)  # longer than a connection too many is left
        left = [client for client in half_open if not client.is_cut]
        assert len(left) <= limits.most_half_open
        await asyncio.gather(*(client.until_cut() for client in half_open))
        assert time.monotonic() - started < limits.request_within + LATE
        honest.send(HEALTHZ)
        assert await honest.answer() == 200


async def test_the_kept_connection_that_was_used_last_is_cut_last() -> None:
    async with served(ConnectionLimits(most_kept=2)) as connect:
        clients = [await connect() for _ in range(3)]
        for client in (*clients[:2], clients[0], clients[2]):
            client.send(HEALTHZ)
            assert await client.answer() == 200
        assert await clients[1].until_cut() == b""
        for client in (clients[0], clients[2]):
            client.send(HEALTHZ)
            assert await client.answer() == 200


async def test_connections_that_were_closed_take_no_place() -> None:
    async with served(ConnectionLimits(most_kept=2, most_half_open=2)) as connect:
        kept = await connect()
        kept.send(HEALTHZ)
        assert await kept.answer() == 200
        for _ in range(5):
            for sent in (b"", HEALTHZ):
                client = await connect()
                client.send(sent)
                if sent:
                    assert await client.answer() == 200
                client.close()
                await asyncio.sleep(0.01)
        kept.send(HEALTHZ)
        assert await kept.answer() == 200


async def test_a_flood_of_new_connections_leaves_a_request_its_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As fast as connections are cut, others come: the oldest is a moment old."""
    limits = ConnectionLimits(most_half_open=20)
    async with served(limits) as connect:
        over = False

        async def flood(sent: bytes) -> None:
            while not over:
                client = await connect()
                client.send(sent)
                await client.until_cut()

        sent = [b"", HALF_OPEN["half a header"], SLOW_BODIES["half a body"]]
        flooding = [asyncio.create_task(flood(sent[number % 3])) for number in range(100)]
        for _ in range(5):
            honest = await connect()
            honest.send(HEALTHZ)
            async with asyncio.timeout(LATE):
                assert await honest.answer() == 200
            await asyncio.sleep(0.1)
        over = True
        await asyncio.gather(*flooding)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
