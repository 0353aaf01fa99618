"""Waiting where a timeout or a cancellation may come in between."""

from __future__ import annotations

import asyncio

import pytest

from bot.concurrency import (
    SoftLimit,
    cancel_and_wait,
    finish_before_cancel,
    run_until_event,
    run_within,
    wait_for_event,
)

LONG = 30.0


async def test_a_task_that_drops_a_cancellation_is_ended_all_the_same() -> None:
    dropped = 0

    async def stubborn() -> None:
        nonlocal dropped
        while dropped < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                dropped += 1
        await asyncio.sleep(60)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await cancel_and_wait(task, unwinding=0.01)
    assert (task.cancelled(), dropped) == (True, 2)


async def test_an_event_is_waited_for_at_most_so_long() -> None:
    event = asyncio.Event()
    await wait_for_event(event, 0.01)
    assert not event.is_set()
    event.set()
    async with asyncio.timeout(10):
        await wait_for_event(event, 60)


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
    await cancel_and_wait(*tasks, after=LONG)
    assert done == [True, True]


async def test_work_answers_and_raises_as_ever() -> None:
    async def answer() -> int:
        return 7

    async def fail() -> None:
        raise ValueError

    assert await finish_before_cancel(answer(), LONG) == 7
    with pytest.raises(ValueError):  # noqa: PT011 - a bare one
        await finish_before_cancel(fail(), LONG)


async def test_a_cancellation_waits_for_work_that_is_nearly_done() -> None:
    go, done = asyncio.Event(), []

    async def work() -> None:
        await go.wait()
        done.append(True)

    task = asyncio.create_task(finish_before_cancel(work(), LONG))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


async def test_a_cancellation_does_not_wait_for_ever() -> None:
    work = asyncio.Event()
    task = asyncio.create_task(finish_before_cancel(work.wait(), 0.01))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_late_result_is_handed_over() -> None:
    go = asyncio.Event()
    late: list[int] = []

    async def work() -> int:
        await go.wait()
        return 7

    task = asyncio.create_task(finish_before_cancel(work(), LONG, on_late=late.append))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert late == [7]


async def test_a_call_is_bounded_and_leaves_no_task_behind() -> None:
    async def answer() -> int:
        return 7

    assert await run_within(LONG, answer()) == 7
    hanging = asyncio.ensure_future(asyncio.Event().wait())
    with pytest.raises(TimeoutError):
        await run_within(0.01, hanging)
    assert hanging.cancelled()


async def stands_still() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_work_that_is_stopped_before_its_end_answers_nothing() -> None:
    event = asyncio.Event()
    working = asyncio.create_task(run_until_event(stands_still(), event))
    await asyncio.sleep(0)
    event.set()
    assert await working is None


async def test_work_that_is_done_answers_and_its_error_is_raised() -> None:
    async def answering() -> str:
        return "done"

    async def breaking() -> str:
        raise KeyError("broken")

    event = asyncio.Event()
    assert await run_until_event(answering(), event) == "done"
    with pytest.raises(KeyError, match="broken"):
        await run_until_event(breaking(), event)


async def test_no_more_than_so_many_are_in_at_a_time() -> None:
    limit, inside, most = SoftLimit(2, LONG), 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with limit.slot():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(7)))
    assert most == 2


async def test_who_has_waited_long_enough_goes_on_beside_one_that_hangs() -> None:
    limit = SoftLimit(1, 0.01)
    async with limit.slot(), limit.slot():
        pass
    async with limit.slot():
        pass


async def test_a_slot_is_free_again_after_an_error_and_a_cancellation() -> None:
    limit = SoftLimit(1, LONG)
    with pytest.raises(ZeroDivisionError):
        async with limit.slot():
            raise ZeroDivisionError
    async with limit.slot():
        waiting = asyncio.create_task(limit.slot().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5.0), limit.slot():
        pass
