"""Tasks: how one is ended for good, background work that only the shutdown waits for, and waiting
for an event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)

UNWINDING = 1.5
"""Seconds that a cancelled task has to clean up before it is cancelled again."""


async def end(task: asyncio.Future[Any], unwinding: float = UNWINDING) -> None:
    """Cancel the task until it has ended; its error is nobody's any more.

    Once is not enough: up to Python 3.11 `asyncio.wait_for`, which redis-py sends with, drops a
    cancellation that arrives in the moment it is done.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=unwinding)
    retrieve(task)


def retrieve(task: asyncio.Future[Any]) -> None:
    """An error that nobody asks for would be reported as never retrieved."""
    if not task.cancelled():
        task.exception()


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so long; answers whether it is set."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            return await event.wait()
    except TimeoutError:
        return False


class BackgroundTasks:
    """Keeps a reference to each task, as asyncio does not, and drains them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def drain(self, timeout: float) -> None:
        """Wait for what runs, at most `timeout` seconds; cancel the rest."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("background work failed: %s", type(error).__name__)
