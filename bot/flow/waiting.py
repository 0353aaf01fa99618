"""Waiting for events and tasks where a cancellation may come in between."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

UNWINDING = 1.5
"""Seconds that a cancelled task has to clean up before it is cancelled again."""
RECORD_WITHIN = 0.8
"""Seconds that a record may still take once its task is cancelled."""


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel the task until it has ended. Once is not enough: up to Python 3.11
    `asyncio.wait_for` drops a cancellation that arrives in the moment it is done."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=UNWINDING)
    _retrieve(task)


async def unwound(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Wait for tasks that are cancelled already."""
    if tasks:
        await asyncio.wait(tasks, timeout=UNWINDING)
    await asyncio.gather(*(end(task) for task in tasks))


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Do the work to its end, or nearly so, even where the caller is cancelled meanwhile: what is
    paid for should be written down."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=RECORD_WITHIN)
        raise
    finally:
        task.cancel()
        task.add_done_callback(_retrieve)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """An error that nobody asks for would be reported as never retrieved."""
    if not task.cancelled():
        task.exception()
