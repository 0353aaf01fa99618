"""What the client makes of servers that break off, over real sockets."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter

import httpx2
import pytest
from openai import APIConnectionError, AsyncOpenAI

from bot.adapters.openai.client import openai_client
from bot.adapters.openai.failures import failure_of
from bot.domain.errors import FailureKind, GenerationError
from tests.support.processes import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


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
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{}", id="cut in a chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", id="no chunk"),
    ],
)
async def test_a_call_whose_connection_breaks_may_be_paid(answer: bytes) -> None:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        async with openai_client("key", f"http://127.0.0.1:{port}/v1") as client:
            failed = await failure(client)
    assert (failed.kind, failed.may_be_paid) == (FailureKind.PROVIDER_DOWN, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
async def test_a_call_without_a_connection_is_not_paid(host: str) -> None:
    async with openai_client("key", f"http://{host}:{free_port()}/v1") as client:
        failed = await failure(client)
    assert (failed.kind, failed.may_be_paid) == (FailureKind.PROVIDER_DOWN, False)
