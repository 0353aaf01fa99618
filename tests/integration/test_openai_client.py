"""What the client makes of servers that break off, over real sockets."""

from __future__ import annotations

import asyncio
import re
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest
from openai import APIConnectionError, AsyncOpenAI

from bot.adapters.openai.client import openai_client
from bot.adapters.openai.failures import failure_of
from bot.domain.failures import FailureKind, GenerationError
from tests.support.processes import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
OK_CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


Serve = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """The address of a server that answers connections by `serve`."""

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with asyncio.timeout(20), await asyncio.start_server(connected, "127.0.0.1") as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def client_of(serve: Serve) -> AsyncIterator[AsyncOpenAI]:
    async with serving(serve) as address, openai_client("key", f"http://{address}/v1") as client:
        yield client


class Answering:
    """Answers all requests alike, and keeps what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[str] = []

    async def __call__(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                if length := re.search(r"(?i)content-length: (\d+)", head):
                    await reader.readexactly(int(length[1]))
                self.heads.append(head)
                writer.write(self.answer)

    def sent(self, header: str) -> list[list[str]]:
        """The values of the header in each request."""
        return [re.findall(rf"(?im)^{header}: (.*)\r$", head) for head in self.heads]


def basic(name_and_password: str) -> str:
    return f"Basic {b64encode(name_and_password.encode()).decode()}"


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
            with pytest.raises(httpx2.TransportError):
                await answer.read()


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
async def test_a_call_without_a_connection_is_not_paid(host: str) -> None:
    async with openai_client("key", f"http://{host}:{free_port()}/v1") as client:
        failed = await failure(client)
    assert (failed.kind, failed.may_be_paid) == (FailureKind.PROVIDER_DOWN, False)


MODELS = b'{"object":"list","data":[]}'
ANSWERED = OK + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 27\r\n\r\n" + MODELS


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"200 OK\r\nX: " + b"x" * 60_000, id="a long header"),
        pytest.param(b"200 OK" + b"\r\nX: x" * 400, id="many headers"),
        pytest.param(b"200 " + b"r" * 5000, id="a long reason"),
        pytest.param(b"200 \xff", id="a reason that is no UTF-8"),
        pytest.param("200 Très bien".encode(), id="a reason that is no ASCII"),
        pytest.param(b"200", id="no reason"),
        pytest.param(b"100 Continue\r\n\r\nHTTP/1.1 200 OK", id="a head before the head"),
    ],
)
async def test_an_odd_head_is_read(head: bytes) -> None:
    rest = ANSWERED.removeprefix(b"HTTP/1.1 200 OK")
    async with client_of(Answering(b"HTTP/1.1 " + head + rest)) as client:
        assert (await client.models.list()).data == []


async def test_a_connection_that_ended_meanwhile_is_not_asked_again() -> None:
    ended = asyncio.Event()

    async def serve_one(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWERED)
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with client_of(serve_one) as client:
        for _ in range(3):
            ended.clear()
            assert (await client.models.list()).data == []
            await ended.wait()


@pytest.mark.parametrize("answer", [b"", OK_CHUNKED], ids=["before the answer", "in the answer"])
async def test_a_call_that_is_cancelled_ends_its_connection(answer: bytes) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        asked.set()
        with suppress(ConnectionError):
            await reader.read()
        ended.set()

    async with client_of(serve) as client:
        call = asyncio.create_task(client.responses.create(model="m", input="x"))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await ended.wait()


async def test_no_cookie_is_kept() -> None:
    server = Answering(ANSWERED)
    async with client_of(server) as client:
        await client.models.list()
        await client.models.list()
    assert server.sent("cookie") == [[], []]


async def test_a_name_and_password_in_the_address_replace_the_key() -> None:
    server = Answering(ANSWERED)
    async with (
        serving(server) as address,
        openai_client("key", f"http://ann:secret@{address}/v1") as client,
    ):
        await client.models.list()
    assert server.sent("authorization") == [[basic("ann:secret")]]


async def test_a_proxy_passes_a_plain_request_on(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Answering(ANSWERED)
    async with serving(proxy) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://ann:p%C3%A4%E2%82%AC@{address}")
        async with openai_client("key", "http://provider.invalid/v1") as client:
            await client.models.list()
    assert proxy.heads[0].startswith("GET http://provider.invalid/v1/models ")
    assert proxy.sent("proxy-authorization") == [[basic("ann:pä€")]]
    assert proxy.sent("authorization") == [["Bearer key"]]


@pytest.mark.parametrize("refusal", ["407 Proxy Authentication Required", "502 Bad Gateway"])
async def test_a_call_that_a_proxy_does_not_connect_is_not_paid(
    refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Answering(f"HTTP/1.1 {refusal}\r\n\r\n".encode())
    async with serving(proxy) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:p%C3%A4%E2%82%AC@{address}")
        async with openai_client("key", "https://provider.invalid/v1") as client:
            failed = await failure(client)
    assert (failed.kind, failed.may_be_paid) == (FailureKind.PROVIDER_DOWN, False)
    assert proxy.heads[0].startswith("CONNECT provider.invalid:443 ")
    assert proxy.sent("proxy-authorization") == [[basic("ann:pä€")]]
    assert proxy.sent("authorization") == [[]]


async def test_an_image_is_read_in_large_pieces() -> None:
    body = b"x" * 2**23
    answer = OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    async with (
        client_of(Answering(answer)) as client,
        client._client.stream("GET", client.base_url) as response,
    ):
        sizes = [len(piece) async for piece in response.aiter_bytes()]
    assert sum(sizes) == len(body)
    assert max(sizes) > 2**16  # what the library reads at once of its own accord
