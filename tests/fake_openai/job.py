"""One generation at the provider's side: it runs to its end whoever listens."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .outcomes import Outcome, Point
from .problems import Problem

if TYPE_CHECKING:
    from .provider import Provider

Event = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """One image that was made and charged."""

    response_id: str
    prompt: str
    data: bytes
    at: float


class Job:
    """A log of events and passed points, written by `work` and read by any number of streams."""

    def __init__(self, fake: "Provider", job_id: str, body: Event, outcome: Outcome) -> None:
        self.fake = fake
        self.id = job_id
        self.body = body
        self.outcome = outcome
        self.prompt = ""
        self.created_at = int(time.time())
        self.log: list[Event | Point] = []
        self.finished = False
        self.problem: Problem | None = None  # how a call without a stream is answered
        self._changed = asyncio.Event()

    async def work(self) -> None:
        """Do it: emit events, pass points. Overridden."""
        raise NotImplementedError

    async def run(self) -> None:
        """`work`, then tell those who follow that nothing more will come."""
        try:
            await self.work()
            await self.reach("end")
        finally:
            self.finished = True
            self._wake()

    def add(self, entry: Event | Point) -> None:
        """Write one line of the log."""
        self.log.append(entry)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def reach(self, point: Point) -> None:
        """Pass a point, or stand still at it while the test says so."""
        self.add(point)
        await self.fake.gate(point, self.outcome)

    async def follow(self) -> AsyncIterator[Event | Point]:
        """The log from its start, live until the job is finished."""
        position = 0
        while True:
            changed = self._changed
            while position < len(self.log):
                yield self.log[position]
                position += 1
            if self.finished:
                return
            await changed.wait()

    async def done(self) -> None:
        """Wait for the end."""
        while not self.finished:
            await self._changed.wait()

    async def make_image(
        self, options: Event, asked_partials: int, partial: Callable[[int, str], None]
    ) -> str:
        """Take the time an image takes, charge it, return its base64.

        `partial(index, b64)` is called for each partial image on the way.
        """
        outcome, fake = self.outcome, self.fake
        partials = asked_partials if outcome.partials is None else outcome.partials
        seconds = fake.latency if outcome.latency is None else outcome.latency
        for index in range(partials):
            await asyncio.sleep(seconds / (partials + 1))
            partial(index, encoded(fake.draw(self.prompt, options)))
        await self.reach("partials")
        await asyncio.sleep(seconds / (partials + 1))
        data = fake.draw(self.prompt, options)
        fake.made.append(Made(self.id, self.prompt, data, time.time()))
        await self.reach("image")
        sent = data[: int(len(data) * outcome.part)]
        return encoded(sent) if outcome.result is None else outcome.result


def encoded(data: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(data).decode()
