"""How a process is told to end: once in good order, once more to hurry."""

from __future__ import annotations

import asyncio

import pytest

from bot import stopping as module
from bot.stopping import Stopping, WorkEnded

LONG = 60.0


async def stands_still() -> str:
    await asyncio.Event().wait()
    return "never"


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


async def test_work_that_is_stopped_before_its_end_answers_nothing() -> None:
    stopping = Stopping()
    working = asyncio.create_task(stopping.unless_asked(stands_still()))
    await asyncio.sleep(0)
    stopping.asked.set()
    assert await working is None


async def test_work_that_is_done_answers_and_its_error_is_raised() -> None:
    async def error_boundary() -> str:
        return "done"

    async def breaking() -> str:
        raise KeyError("broken")

    stopping = Stopping()
    assert await stopping.unless_asked(error_boundary()) == "done"
    with pytest.raises(KeyError, match="broken"):
        await stopping.unless_asked(breaking())


async def test_what_has_to_go_on_and_ends_is_an_error_until_it_was_asked_to() -> None:
    ended = asyncio.create_task(asyncio.sleep(0))
    stopping = Stopping()
    with pytest.raises(WorkEnded):
        await stopping.until_asked([ended])
    stopping.asked.set()
    await stopping.until_asked([ended])


async def test_nothing_is_waited_for_once_it_is_urgent() -> None:
    stopping = Stopping()
    waiting = asyncio.create_task(stopping.unless_urgent(LONG))
    await asyncio.sleep(0)
    assert not waiting.done()
    stopping.urgent.set()
    async with asyncio.timeout(LONG / 2):
        await waiting


async def test_work_is_hurried_only_when_it_is_urgent() -> None:
    hurried, may_end = asyncio.Event(), asyncio.Event()

    async def working() -> None:
        await may_end.wait()

    async def hurry() -> None:
        hurried.set()
        may_end.set()

    stopping = Stopping()
    may_end.set()
    await stopping.hurried(working(), hurry())
    assert not hurried.is_set()

    may_end.clear()
    task = asyncio.create_task(stopping.hurried(working(), hurry()))
    await asyncio.sleep(0)
    stopping.urgent.set()
    async with asyncio.timeout(LONG / 2):
        await task
    assert hurried.is_set()
