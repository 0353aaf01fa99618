"""How tests script the fake and look at it."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from bot.sandbox import PATIENCE

from .outcomes import Outcome, Point
from .provider import Provider
from .recording import Recorded
from .script import Body
from .servers import Server


def has(name: str, body: Body) -> bool:
    """Whether the body, or its tool, has the parameter."""
    return name in body or any(name in tool for tool in body.get("tools") or [])


class Controls(Provider):
    """Scripting and looking."""

    def script(self, *outcomes: Outcome) -> None:
        """Outcomes of the next create calls, in order; after them the default."""
        self.plan.queue.extend(outcomes)

    def script_reads(self, *outcomes: Outcome) -> None:
        """The same for GETs. Only outcomes with a problem, or cut at "request", make sense."""
        self.plan.reads.extend(outcomes)

    def script_cancels(self, *outcomes: Outcome) -> None:
        """The same for calls that call a response off."""
        self.plan.cancels.extend(outcomes)

    def always(self, outcome: Outcome) -> None:
        """The default from now on."""
        self.plan.default = outcome

    def when(self, matches: Callable[[Body], bool], outcome: Outcome) -> None:
        """The outcome of every create call whose body matches; comes before script and default."""
        self.plan.rules.append((matches, outcome))

    def plays(self, server: Server, *names: str) -> None:
        """Refuse these parameters, of the call and of its tool, as that server would."""
        for name in names:
            self.when(partial(has, name), server.refuses(name))

    def hold(self, at: Point = "generating") -> None:
        """Every generation stands still at that point, until `release`."""
        self.gates.hold_at = at

    def release(self, count: int | None = None) -> None:
        """Let held generations go on: the first `count`, or all (and hold no more)."""
        self.gates.release(count)

    def forget(self, response_id: str) -> None:
        """As if its 30 days were over."""
        self.responses.pop(response_id, None)

    def forget_responses(self) -> None:
        """The same for every response that is finished."""
        for response_id, job in list(self.responses.items()):
            if job.finished:
                self.forget(response_id)

    @property
    def paid(self) -> int:
        """Images made, and charged."""
        return len(self.made)

    def paid_for(self, response_id: str) -> int:
        """Images made for that response."""
        return sum(made.response_id == response_id for made in self.made)

    @property
    def creates(self) -> list[Recorded]:
        """The paid calls among the requests."""
        paths = ("/responses", "/generations", "/edits")
        return [one for one in self.requests if one.method == "POST" and one.path.endswith(paths)]

    @property
    def edits(self) -> list[Recorded]:
        """The paid calls that ask for an image to be changed."""
        return [one for one in self.creates if one.edits]

    @property
    def cancelled(self) -> list[str]:
        """The ids of the responses that were called off."""
        return [job.id for job in self.responses.values() if job.status == "cancelled"]

    @property
    def held(self) -> list[Point]:
        """Where generations stand still now."""
        return [point for point, _ in self.gates.waiting]

    async def until(self, true: Callable[[], object], timeout: float = PATIENCE) -> None:
        """Wait until `true()`; TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError("the fake never came to that state")
            await asyncio.sleep(0.002)

    async def until_held(self, count: int = 1, timeout: float = PATIENCE) -> None:
        """Wait until that many generations stand still."""
        await self.until(lambda: len(self.held) >= count, timeout)
