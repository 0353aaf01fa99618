"""`WriteProbe`: what is said of a store that takes no changes."""

from __future__ import annotations

import logging

import pytest

from bot.domain.errors import StoreFull, StoreReadOnly, StoreTrouble, StoreUnavailable
from bot.ops.write_probe import _STEADY_AFTER, REFUSED, WriteProbe
from bot.telemetry.metrics import REGISTRY

TAKEN = None


class Store:
    """Takes a small change, or raises what comes next."""

    def __init__(self) -> None:
        self.next: Exception | None = TAKEN
        self.writes = WriteProbe(self.write)

    async def write(self) -> None:
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
        (StoreFull("x"), StoreTrouble.FULL),
        (StoreReadOnly("x"), StoreTrouble.READ_ONLY),
        (StoreUnavailable("x"), StoreTrouble.AWAY),
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
    for outcome in [StoreFull("x"), StoreFull("x"), TAKEN, StoreFull("x"), TAKEN, TAKEN]:
        await store.tried(outcome)
    assert caplog.messages == [REFUSED[StoreTrouble.FULL]]
    for _ in range(2 * _STEADY_AFTER):
        await store.tried(TAKEN)
    assert caplog.messages[1:] == ["Redis takes changes again"]


async def test_a_store_that_is_away_is_told_of_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    for outcome in [StoreUnavailable("x"), TAKEN]:
        await store.tried(outcome)
    assert caplog.messages == []
