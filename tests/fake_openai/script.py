"""Which outcome the next create call meets, and where generations stand still."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from .outcomes import Outcome, Point, success

Body = dict[str, Any]


class Script:
    """Rules by body first, then the queue, then the default."""

    def __init__(self) -> None:
        self.queue: deque[Outcome] = deque()
        self.rules: list[tuple[Callable[[Body], bool], Outcome]] = []
        self.default = success()
        self.reads: deque[Outcome] = deque()
        self.cancels: deque[Outcome] = deque()

    def next(self, body: Body) -> Outcome:
        """The outcome for this body. A body that a rule takes leaves the queue as it is."""
        for matches, outcome in self.rules:
            if matches(body):
                return outcome.for_body(body)
        outcome = self.queue.popleft() if self.queue else self.default
        return outcome.for_body(body)


class Gate:
    """Generations that stand still at a point until they are released."""

    def __init__(self) -> None:
        self.hold_at: Point | None = None  # for every generation
        self.waiting: list[tuple[Point, asyncio.Event]] = []

    async def wait(self, point: Point, outcome: Outcome) -> None:
        """Pass, or stand."""
        if point not in (self.hold_at, outcome.hold_at):
            return
        place = (point, asyncio.Event())
        self.waiting.append(place)
        try:
            await place[1].wait()
        finally:
            if place in self.waiting:
                self.waiting.remove(place)

    def release(self, count: int | None = None) -> None:
        """Let the first `count` go on; None: all, and hold no more."""
        if count is None:
            self.hold_at = None
        freed, self.waiting = self.waiting[:count], self.waiting[count or len(self.waiting) :]
        for _, event in freed:
            event.set()
