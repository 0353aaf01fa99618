"""Waiting for tasks and events where a timeout or a cancellation may come in between.

asyncio's own calls are used where they are enough. These functions bound a wait also where a
cancellation is dropped: up to Python 3.11 `asyncio.wait_for`, with which redis-py sends, drops one
that arrives in the moment it is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import (
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from contextvars import ContextVar
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


class WorkSlots:
    """Lets `most` pieces of work run at a time. One that waits or is almost done lends its slot,
    while no more than `most_lent` do, and one that only shows what it did, while no more than
    `MOST_SHOWING` do. `taken` counts those that lend as well."""

    def __init__(self, most: int, most_lent: int) -> None:
        self._most = most
        self._most_lent = most_lent
        self.taken = 0
        self._lending = 0
        self._showing = 0
        self._changed = asyncio.Event()

    @property
    def _total(self) -> int:
        lent = min(self._lending, self._most_lent)
        return self._most + lent + min(self._showing, MOST_SHOWING)

    async def take(self, is_stopped: Callable[[], bool]) -> bool:
        """Wait for a slot; False where none is wanted any more, which `look_again` says."""
        while not is_stopped():
            if self.taken < self._total:
                self.taken += 1
                return True
            self._changed.clear()
            await self._changed.wait()
        return False

    def give_back(self) -> None:
        self.taken -= 1
        self._changed.set()

    def look_again(self) -> None:
        self._changed.set()

    @contextmanager
    def lending(self) -> Iterator[None]:
        """The body has one of these slots, and lends it by `without_slot` or `lend_slot`."""
        slot = _Slot(self)
        token = _slot.set(slot)
        try:
            yield
        finally:
            _slot.reset(token)
            slot.end()

    def lend(self, slots: int) -> None:
        """So many more are lent; less than 0 where they are taken back."""
        self._lending += slots
        self._changed.set()

    def show(self, works: int) -> None:
        """So many more only show what they did."""
        self._showing += works
        self._changed.set()


class _Slot:
    """The slot of one piece of work. It is lent while anything of the work lends it. Work that goes
    on after its end, because it ignores its cancellation, lends nothing."""

    def __init__(self, slots: WorkSlots) -> None:
        self._slots = slots
        self._lent = 0
        self._has_ended = False
        self.on_lent_for_good: Callable[[], None] | None = None

    def _lend(self, times: int) -> None:
        if self._has_ended:
            return
        was_lent, self._lent = self._lent > 0, self._lent + times
        if was_lent != (self._lent > 0):
            self._slots.lend(-1 if was_lent else 1)

    @contextmanager
    def lent(self) -> Iterator[None]:
        self._lend(1)
        try:
            yield
        finally:
            self._lend(-1)

    def lend_for_good(self) -> None:
        self._lend(1)
        if self.on_lent_for_good and not self._has_ended:
            self.on_lent_for_good()

    def end(self) -> None:
        self._lend(-self._lent)
        self._has_ended = True

    @contextmanager
    def only_showing(self) -> Iterator[None]:
        self.end()
        self._slots.show(1)
        try:
            yield
        finally:
            self._slots.show(-1)


MOST_SHOWING = 1_000
_slot: ContextVar[_Slot | None] = ContextVar("slot", default=None)
_SHORT_WAIT = 1.0
"""Seconds for which a slot is kept."""


def without_slot(seconds: float) -> AbstractContextManager[None]:
    """The body only waits, for about so many seconds: meanwhile its slot is another's."""
    slot = _slot.get()
    return slot.lent() if slot and seconds > _SHORT_WAIT else nullcontext()


def lend_slot() -> None:
    """What this work still has to do needs no slot: until its end the slot is another's."""
    if slot := _slot.get():
        slot.lend_for_good()


def on_slot_lent(callback: Callable[[], None]) -> None:
    """Call it, too, when the work that runs lends its slot by `lend_slot`."""
    if slot := _slot.get():
        slot.on_lent_for_good = callback


async def sleep_without_slot(seconds: float) -> None:
    with without_slot(seconds):
        await asyncio.sleep(seconds)


def only_showing() -> AbstractContextManager[None]:
    """The body only shows what was done, and holds nothing: meanwhile its slot is another's."""
    slot = _slot.get()
    return slot.only_showing() if slot else nullcontext()


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
