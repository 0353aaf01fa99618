"""Waiting for tasks where a cancellation may come in between."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

from bot.tasks import UNWINDING, end, retrieve

T = TypeVar("T")

RECORD_WITHIN = 0.8
"""Seconds that a record may still take once its task is cancelled."""


async def unwound(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Wait for tasks that are cancelled already."""
    if tasks:
        await asyncio.wait(tasks, timeout=UNWINDING)
    await asyncio.gather(*(end(task) for task in tasks))


async def given_time(task: asyncio.Task[Any] | None) -> None:
    """Let a record come to its end, or nearly so; then it is given up."""
    if task is not None:
        await asyncio.wait({task}, timeout=RECORD_WITHIN)
        await end(task)


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
        task.add_done_callback(retrieve)
