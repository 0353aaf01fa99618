"""How a process is told to end: once in good order, once more to hurry."""

from __future__ import annotations

import asyncio

import pytest

from bot.ops import shutdown as module
from bot.ops.shutdown import Shutdown, TaskEnded

LONG = 60.0


async def test_the_first_signal_asks_and_a_later_one_hurries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SAME_SIGNAL_WITHIN", 0.0)
    shutdown = Shutdown()
    shutdown.signalled()
    assert shutdown.requested.is_set()
    assert not shutdown.urgent.is_set()
    shutdown.signalled()
    assert shutdown.urgent.is_set()


async def test_two_signals_at_once_are_one_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAME_SIGNAL_WITHIN", LONG)
    shutdown = Shutdown()
    shutdown.signalled()
    shutdown.signalled()
    assert not shutdown.urgent.is_set()


async def test_what_has_to_go_on_and_ends_is_an_error_until_it_was_asked_to() -> None:
    ended = asyncio.create_task(asyncio.sleep(0))
    shutdown = Shutdown()
    with pytest.raises(TaskEnded):
        await shutdown.wait_until_requested([ended])
    shutdown.requested.set()
    await shutdown.wait_until_requested([ended])
