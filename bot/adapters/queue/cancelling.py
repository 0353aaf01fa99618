"""Bounding calls that BullMQ makes to Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bot.tasks import end

Result = TypeVar("Result")


async def within(seconds: float, call: Awaitable[Result]) -> Result:
    """Like `asyncio.wait_for`, but bounded also where a cancellation is dropped, and leaving no
    task behind. Raises `TimeoutError`."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        in_time = task.done()
        await end(task, unwinding=0.2)
    if not in_time:
        raise TimeoutError
    return task.result()
