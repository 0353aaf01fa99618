"""Waiting for tasks and events where a timeout or a cancellation may come in between.

asyncio's own calls are used where they are enough. These functions bound a wait also where a
cancellation is dropped: up to Python 3.11 `asyncio.wait_for`, with which redis-py sends, drops one
that arrives in the moment it is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

UNWINDING = 1.5
"""Seconds that a cancelled task has to clean up before it is cancelled again."""


async def cancel_and_wait(
    *tasks: asyncio.Future[Any], after: float = 0.0, unwinding: float = UNWINDING
) -> None:
    """Let the tasks run on for `after` seconds, then cancel them until all have ended. Their errors
    are dropped."""
    pending = set(tasks)
    if pending and after:
        await asyncio.wait(pending, timeout=after)
    while pending := {task for task in pending if not task.done()}:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=unwinding)
    await asyncio.gather(*tasks, return_exceptions=True)


async def wait_for_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, `seconds` at most; answers whether it is set."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            return await event.wait()
    except TimeoutError:
        return False


async def run_until_event(work: Coroutine[Any, Any, T], event: asyncio.Event) -> T | None:
    """The result of the work, or None where the event is set before its end."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        is_done = working.done()
    finally:
        await cancel_and_wait(working, waiting)
    return working.result() if is_done else None


async def run_within(seconds: float, call: Awaitable[T], *, unwinding: float = 0.2) -> T:
    """Like `asyncio.wait_for`, but bounded also where a cancellation is dropped, and leaving no
    task behind. Raises `TimeoutError`."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        in_time = task.done()
        await cancel_and_wait(task, unwinding=unwinding)
    if not in_time:
        raise TimeoutError
    return task.result()


async def finish_before_cancel(
    work: Coroutine[Any, Any, T], seconds: float, on_late: Callable[[T], None] | None = None
) -> T:
    """Do the work to its end. When the caller is cancelled meanwhile, the work has `seconds` to
    finish before the cancellation goes on; `on_late` is called with a result that comes then."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task}, timeout=seconds)
            if on_late and task.done() and not task.cancelled() and task.exception() is None:
                on_late(task.result())
        finally:
            task.cancel()
            task.add_done_callback(consume_exception)
        raise
    return task.result()


def consume_exception(task: asyncio.Future[Any]) -> None:
    """Retrieve the task's error, because asyncio logs one that is never retrieved."""
    if not task.cancelled():
        task.exception()


class SoftLimit:
    """Lets `most` callers in at a time. A caller that has waited for `patience` seconds goes on
    without a slot: one that hangs does not hold up the others for ever."""

    def __init__(self, most: int, patience: float) -> None:
        self._free = asyncio.Semaphore(most)
        self._patience = patience

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot, and hold it while the body runs."""
        taken = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                taken = await self._free.acquire()
        try:
            yield
        finally:
            if taken:
                self._free.release()


class BackgroundTasks:
    """Keeps a reference to each task, which asyncio does not, and drains them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def drain(self, timeout: float) -> None:
        """Wait for the tasks, `timeout` seconds at most; cancel those that still run."""
        await cancel_and_wait(*self._tasks, after=timeout)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("background work failed: %s", type(error).__name__)
