"""Waiting where a cancellation may come in between."""

from __future__ import annotations

import asyncio

import pytest

from bot.flow import waiting
from bot.flow.waiting import finished, unwound
from bot.tasks import set_within


async def test_an_event_is_waited_for_at_most_so_long() -> None:
    event = asyncio.Event()
    await set_within(event, 0.01)
    assert not event.is_set()
    event.set()
    async with asyncio.timeout(10):
        await set_within(event, 60)


async def test_what_a_cancelled_task_still_does_is_waited_for() -> None:
    done = []

    async def tidy() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.02)
            done.append(True)

    tasks = [asyncio.create_task(tidy()) for _ in range(2)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await unwound(tasks)
    assert done == [True, True]


async def test_work_answers_and_raises_as_ever() -> None:
    async def answer() -> int:
        return 7

    async def fail() -> None:
        raise ValueError

    assert await finished(answer()) == 7
    with pytest.raises(ValueError):  # noqa: PT011 - a bare one
        await finished(fail())


async def test_a_cancellation_waits_for_work_that_is_nearly_done() -> None:
    go, done = asyncio.Event(), []

    async def work() -> None:
        await go.wait()
        done.append(True)

    task = asyncio.create_task(finished(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


async def test_a_cancellation_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "RECORD_WITHIN", 0.01)
    work = asyncio.Event()
    task = asyncio.create_task(finished(work.wait()))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await task
