"""Servers that are too old for the program, or something else than a Redis."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bot.ops.doctor import Finding, Verdict, check_redis

COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n(\w+)\r\n")


def hello(version: str) -> bytes:
    told = {"server": "redis", "version": version, "mode": "standalone", "role": "master"}
    pairs = "".join(f"+{name}\r\n+{value}\r\n" for name, value in told.items())
    return f"%{len(told) + 1}\r\n{pairs}+proto\r\n:3\r\n".encode()


@asynccontextmanager
async def error_boundary(answer: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """The URL of a server that answers each command so."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            for command in COMMAND.findall(data):
                writer.write(answer(command))
        writer.close()

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as server:
        yield f"redis://:s3cr3t@127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def found(answer: Callable[[bytes], bytes]) -> Finding:
    async with error_boundary(answer) as url:
        (finding,) = await check_redis(url)
    assert "s3cr3t" not in str(finding)
    return finding


@pytest.mark.parametrize("version", ["6.0.16", "6.1.0"])
async def test_an_older_server_is_named_with_the_version_that_will_do(version: str) -> None:
    finding = await found(lambda name: hello(version) if name == b"HELLO" else b"+OK\r\n")
    assert finding.verdict is Verdict.WRONG
    assert finding.text == f"Redis {version}"
    assert "6.2" in finding.advice


async def test_a_server_from_before_hello_is_named_as_well() -> None:
    finding = await found(lambda _: b"-ERR unknown command `HELLO`, with args beginning with:\r\n")
    assert finding.verdict is Verdict.WRONG
    assert "older than 6.0" in finding.text
    assert "6.2" in finding.advice
