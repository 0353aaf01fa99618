"""Cancelling tasks that talk to Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def end(task: asyncio.Future[Any], unwinding: float) -> None:
    """Cancel the task until it has ended, giving it `unwinding` seconds each time.

    Once is not enough: up to Python 3.11 `asyncio.wait_for`, which redis-py sends with, drops a
    cancellation that arrives in the moment it is done.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=unwinding)


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
