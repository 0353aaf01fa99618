"""`WriteProbe`: what is said of a Redis that takes no changes."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from redis.exceptions import ConnectionError, OutOfMemoryError, ReadOnlyError

from bot.adapters.redis import REFUSED, WriteProbe
from bot.adapters.redis.coordination import _STEADY_AFTER
from bot.domain.errors import StoreTrouble
from bot.telemetry.metrics import REGISTRY

TAKEN = None


class Store:
    """A Redis that takes a small change, or raises what comes next."""

    def __init__(self) -> None:
        self.next: Exception | None = TAKEN
        redis: Any = self
        self.writes = WriteProbe(redis, 1.0)

    async def set(self, key: str, value: str, ex: int) -> None:
        if self.next is not None:
            raise self.next

    async def tried(self, outcome: Exception | None) -> StoreTrouble | None:
        self.next = outcome
        await self.writes.try_once()
        return self.writes.trouble


def refuses(why: str) -> float | None:
    return REGISTRY.get_sample_value("imagine_store_refuses_writes", {"why": why})


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (OutOfMemoryError("x"), StoreTrouble.FULL),
        (ReadOnlyError("x"), StoreTrouble.READ_ONLY),
        (ConnectionError("x"), StoreTrouble.AWAY),
    ],
)
async def test_the_trouble_is_known_until_a_change_is_taken(
    error: Exception, trouble: StoreTrouble
) -> None:
    store = Store()
    assert await store.tried(error) is trouble
    assert not store.writes.is_free_of(trouble)
    assert [refuses(why.value) for why in REFUSED] == [trouble is why for why in REFUSED]
    assert await store.tried(TAKEN) is None
    assert all(store.writes.is_free_of(why) for why in StoreTrouble)
    assert [refuses(why.value) for why in REFUSED] == [0, 0]


async def test_beginning_and_end_are_logged_once_though_small_things_are_taken_between(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Store()
    caplog.set_level(logging.INFO)
    for outcome in [
        OutOfMemoryError("x"),
        OutOfMemoryError("x"),
        TAKEN,
        OutOfMemoryError("x"),
        TAKEN,
        TAKEN,
    ]:
        await store.tried(outcome)
    assert caplog.messages == [REFUSED[StoreTrouble.FULL]]
    for _ in range(2 * _STEADY_AFTER):
        await store.tried(TAKEN)
    assert caplog.messages[1:] == ["Redis takes changes again"]


async def test_a_store_that_is_away_is_told_of_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    for outcome in [ConnectionError("x"), TAKEN]:
        await store.tried(outcome)
    assert caplog.messages == []
