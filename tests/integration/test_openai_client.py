"""What the client makes of servers that break off, over real sockets."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from openai import APIConnectionError, AsyncOpenAI

from bot.adapters.openai.client import openai_client
from bot.adapters.openai.failures import failure_of
from bot.domain.errors import FailureKind, GenerationError
from tests.support.processes import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
OK_CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


Serve = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def client_of(serve: Serve) -> AsyncIterator[AsyncOpenAI]:
    """A client of a server that answers connections by `serve`."""

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with (
        asyncio.timeout(20),
        await asyncio.start_server(connected, "127.0.0.1") as server,
        openai_client("key", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as client,
    ):
        yield client


async def failure(client: AsyncOpenAI) -> GenerationError:
    with pytest.raises(APIConnectionError) as caught:
        await client.responses.create(model="m", input="x")
    assert isinstance(caught.value.__cause__, httpx2.RequestError)
    return failure_of(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(OK, id="half a head"),
        pytest.param(b"HELLO\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", id="no header"),
        pytest.param(OK + b"X: " + b"x" * 200_000 + b"\r\n\r\n", id="a huge header"),
        pytest.param(OK + b"Content-Length: 9\r\nContent-Length: 5\r\n\r\n{}", id="two lengths"),
        pytest.param(OK + b"Content-Length: 9\r\n\r\n{}", id="cut short"),
        pytest.param(OK_CHUNKED + b"9\r\n{}", id="cut in a chunk"),
        pytest.param(OK_CHUNKED + b"zz\r\n{}", id="no chunk"),
    ],
)
async def test_a_call_whose_connection_breaks_may_be_paid(answer: bytes) -> None:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with client_of(serve) as client:
        failed = await failure(client)
    assert (failed.kind, failed.may_be_paid) == (FailureKind.PROVIDER_DOWN, True)


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"zz\r\n{}\r\n", id="no size"),
        pytest.param(b"2\r\n{}XX", id="no end of a chunk"),
        pytest.param(b"2\r\n{}\r\n" + b"f" * 40 + b"\r\n", id="a size beyond numbers"),
        pytest.param(b"0\r\nno trailer\r\n\r\n", id="no trailer"),
        pytest.param(b"2;" + b"x" * 200_000 + b"\r\n{}zz\r\n", id="a long extension"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="another answer"),
    ],
)
async def test_a_body_that_breaks_its_framing_ends_at_once(rest: bytes) -> None:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK_CHUNKED + b"2\r\n{}\r\n")
        await head_is_read.wait()
        writer.write(rest)
        await reader.read()

    head_is_read = asyncio.Event()
    async with client_of(serve) as client:
        create = client.responses.with_streaming_response.create
        async with create(model="m", input="x") as answer:
            head_is_read.set()
            with pytest.raises(httpx2.ReadError):
                await answer.read()


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
async def test_a_call_without_a_connection_is_not_paid(host: str) -> None:
    async with openai_client("key", f"http://{host}:{free_port()}/v1") as client:
        failed = await failure(client)
    assert (failed.kind, failed.may_be_paid) == (FailureKind.PROVIDER_DOWN, False)
