"""How a process is told to end: once in good order, once more to hurry."""

from __future__ import annotations

import asyncio

import pytest

from bot.ops import stopping as module
from bot.ops.stopping import Stopping, WorkEnded

LONG = 60.0


async def test_the_first_signal_asks_and_a_later_one_hurries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "APART", 0.0)
    stopping = Stopping()
    stopping.signalled()
    assert stopping.asked.is_set()
    assert not stopping.urgent.is_set()
    stopping.signalled()
    assert stopping.urgent.is_set()


async def test_two_signals_at_once_are_one_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "APART", LONG)
    stopping = Stopping()
    stopping.signalled()
    stopping.signalled()
    assert not stopping.urgent.is_set()


async def test_what_has_to_go_on_and_ends_is_an_error_until_it_was_asked_to() -> None:
    ended = asyncio.create_task(asyncio.sleep(0))
    stopping = Stopping()
    with pytest.raises(WorkEnded):
        await stopping.until_asked([ended])
    stopping.asked.set()
    await stopping.until_asked([ended])
