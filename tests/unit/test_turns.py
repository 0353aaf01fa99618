from __future__ import annotations

import asyncio

import pytest

from bot.turns import Turns

LONG = 30.0


async def test_no_more_than_so_many_are_in_at_a_time() -> None:
    turns, inside, most = Turns(2, LONG), 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with turns.one():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(7)))
    assert most == 2


async def test_who_has_waited_long_enough_goes_on_beside_one_that_hangs() -> None:
    turns = Turns(1, 0.01)
    async with turns.one(), turns.one():
        pass
    async with turns.one():
        pass


async def test_a_turn_is_free_again_after_an_error_and_a_cancellation() -> None:
    turns = Turns(1, LONG)
    with pytest.raises(ZeroDivisionError):
        async with turns.one():
            raise ZeroDivisionError
    async with turns.one():
        waiting = asyncio.create_task(turns.one().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5.0), turns.one():
        pass
