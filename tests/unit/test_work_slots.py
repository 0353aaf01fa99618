"""Slots that work lends while it waits."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars

from bot.work_slots import WorkSlots, lend_slot, only_showing, without_slot


async def test_work_that_waits_lends_its_slot() -> None:
    slots = WorkSlots(2, 1)
    took = [await slots.take(lambda: False) for _ in range(2)]
    third = asyncio.create_task(slots.take(lambda: False))
    await asyncio.sleep(0)
    assert (took, third.done()) == ([True, True], False)
    with slots.lending(), without_slot(60.0):
        assert await third
        with without_slot(60.0):  # no more than one is lent
            fourth = asyncio.create_task(slots.take(lambda: False))
            await asyncio.sleep(0)
            assert not fourth.done()
    assert slots.taken == 3
    slots.give_back()
    await asyncio.sleep(0)
    assert not fourth.done(), "two still run"
    slots.give_back()
    assert await fourth


async def test_what_is_lent_for_good_is_lent_once_and_comes_back_with_the_end() -> None:
    slots = WorkSlots(1, 2)

    async def is_free() -> bool:
        waiting = asyncio.create_task(slots.take(lambda: False))
        await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            return False
        slots.give_back()
        return True

    assert await slots.take(lambda: False)
    waits = contextlib.ExitStack()
    with slots.lending():
        assert not await is_free()
        lend_slot()
        assert await is_free()
        lend_slot()
        with without_slot(60.0):
            assert await slots.take(lambda: False)
            assert not await is_free(), "one piece of work lends one slot"
            slots.give_back()
        assert await is_free()
        waits.enter_context(without_slot(60.0))
        late = contextvars.copy_context()
    assert not await is_free()
    waits.close()
    late.run(lend_slot)  # by work that goes on after its end
    assert not await is_free()
    slots.give_back()
    assert await is_free()


async def test_a_short_wait_lends_nothing_and_work_without_slots_has_none_to_lend() -> None:
    slots = WorkSlots(1, 1)
    assert await slots.take(lambda: False)
    with without_slot(60.0):
        pass
    with slots.lending(), without_slot(0.5):
        waiting = asyncio.create_task(slots.take(lambda: False))
        await asyncio.sleep(0)
        assert not waiting.done()
    waiting.cancel()


async def test_nobody_waits_for_a_slot_after_the_stop() -> None:
    slots, is_stopped = WorkSlots(1, 0), False
    assert await slots.take(lambda: is_stopped)
    waiting = [asyncio.create_task(slots.take(lambda: is_stopped)) for _ in range(2)]
    await asyncio.sleep(0)
    is_stopped = True
    slots.look_again()
    assert await asyncio.gather(*waiting) == [False, False]


async def test_work_that_only_shows_what_was_done_lends_its_slot_beside_those_that_wait() -> None:
    slots = WorkSlots(1, 0)
    assert await slots.take(lambda: False)
    with slots.lending(), only_showing():
        assert await asyncio.wait_for(slots.take(lambda: False), 1.0)
        with without_slot(60.0):  # it is lent already
            third = asyncio.create_task(slots.take(lambda: False))
            await asyncio.sleep(0)
            assert not third.done()
    slots.give_back()
    await asyncio.sleep(0)
    assert not third.done()
    slots.give_back()
    assert await third
    with only_showing():
        pass
