"""Slots for pieces of work that run side by side: one that waits lends its slot to another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

MOST_SHOWING = 1_000
_slot: ContextVar[_Slot | None] = ContextVar("slot", default=None)
_SHORT_WAIT = 1.0
"""Seconds for which a slot is kept."""


class WorkSlots:
    """Lets `most` pieces of work run at a time. Work that waits or is almost done lends its slot:
    up to `most_lent` slots. Work that only shows its result lends its slot, too, up to
    `MOST_SHOWING`. `taken` counts all work, also that which lends its slot."""

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
        """Wait for a slot. Answers False once `is_stopped` is true; `look_again` asks it anew."""
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
        """Lend so many slots more; a negative number takes them back."""
        self._lending += slots
        self._changed.set()

    def show(self, works: int) -> None:
        """Count so many pieces of work more that only show results; a negative number ends them."""
        self._showing += works
        self._changed.set()


class _Slot:
    """The slot of one piece of work. It is lent while any task of the work lends it. A task that
    goes on after the end of the work, because it ignores its cancellation, lends nothing."""

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


def without_slot(seconds: float) -> AbstractContextManager[None]:
    """Lend the slot while the body waits, for about so many seconds."""
    slot = _slot.get()
    return slot.lent() if slot and seconds > _SHORT_WAIT else nullcontext()


def lend_slot() -> None:
    """Lend the slot until the end of this work: the rest of it needs none."""
    if slot := _slot.get():
        slot.lend_for_good()


def on_slot_lent(callback: Callable[[], None]) -> None:
    """Also call `callback` when the work that runs lends its slot by `lend_slot`."""
    if slot := _slot.get():
        slot.on_lent_for_good = callback


async def sleep_without_slot(seconds: float) -> None:
    with without_slot(seconds):
        await asyncio.sleep(seconds)


def only_showing() -> AbstractContextManager[None]:
    """Lend the slot while the body only shows a result, and holds no image."""
    slot = _slot.get()
    return slot.only_showing() if slot else nullcontext()
