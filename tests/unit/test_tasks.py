"""Ending tasks for good."""

from __future__ import annotations

import asyncio

from bot.tasks import end


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
    await end(task, unwinding=0.01)
    assert (task.cancelled(), dropped) == (True, 2)
