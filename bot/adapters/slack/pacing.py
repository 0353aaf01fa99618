"""Every call of the Web API in its turn, as `bot.ports.RateLimiter` gives it out.

`SlackClient` takes the turn of each call before it makes it. What a call is to the program is said
around it, by `calling`. A message takes its turn before it is made, by `SlackPacing.take`, because
its session may have changed when the turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from bot.adapters.slack.rate_limits import budget_of
from bot.domain.session_ids import SessionId
from bot.ports import Priority, RateLimiter, Turn

PATIENCE = 30.0
"""Seconds that a call waits for its turn where nothing else is said."""
LONGEST_TURN = 600.0
"""Seconds that a message waits; a crowd of so many in one channel waits in the job queue."""

_LATE = 0.01
"""Seconds by which a message is late."""
_FORGETTING = 1.05
"""The least time that a message has taken is forgotten by so much with each."""


class _Call(NamedTuple):
    priority: Priority = Priority.ANSWER
    patience: float = PATIENCE
    has_turn: bool = False


_call: ContextVar[_Call] = ContextVar("call")


@contextmanager
def calling(
    priority: Priority, patience: float = PATIENCE, *, has_turn: bool = False
) -> Iterator[None]:
    """What the body's calls are, and how long they wait for their turns: they raise `SlackBusy`
    where it would take longer. With `has_turn` they have taken them."""
    token = _call.set(_Call(priority, patience, has_turn))
    try:
        yield
    finally:
        _call.reset(token)


class SlackPacing:
    """The turns of one workspace's calls."""

    def __init__(self, pace: RateLimiter, messages_per_second: float) -> None:
        self._pace = pace
        self._messages_per_second = messages_per_second
        self._usual: float | None = None

    async def before(self, method: str, arguments: Mapping[str, Any]) -> None:
        """Before each call: take its turn, unless it has one."""
        priority, patience, has_turn = _call.get(_Call())
        if not has_turn:
            await self.take(method, str(arguments.get("channel") or ""), priority, patience)

    async def take(
        self,
        method: str,
        channel: str,
        priority: Priority,
        patience: float = LONGEST_TURN,
        *,
        expected: str = "",
    ) -> None:
        """Sleep until the call may be made. Raises `SlackBusy` at once where that would take more
        than `patience` seconds. An edit that does not wait leaves half of a burst to others."""
        budget = budget_of(method, channel, self._messages_per_second)
        if budget is None:
            return
        if priority is Priority.EDIT and not patience:
            budget = budget._replace(burst=max(1, budget.burst // 2))
        owner = SessionId.parse(expected).owner
        await self._pace.take(budget, priority, patience, expected=expected, owner=owner)

    async def hold(self, method: str, arguments: Mapping[str, Any], seconds: float) -> None:
        """Slack answered 429: nobody makes such a call for so long."""
        channel = str(arguments.get("channel") or "")
        if (budget := budget_of(method, channel, self._messages_per_second)) is not None:
            await self._pace.hold(budget, seconds)

    async def made(self, method: str, arguments: Mapping[str, Any], took: float) -> None:
        """After each call: a message that was later on its way than usual came to Slack as much
        later, so the next one is held back as well."""
        if method != "chat.postMessage":
            return
        usual = took if self._usual is None else min(took, self._usual * _FORGETTING)
        self._usual = usual
        budget = budget_of(method, str(arguments.get("channel") or ""), self._messages_per_second)
        if budget is None or took - usual < _LATE:
            return
        if (seconds := 1 / budget.per_second - usual) > 0:
            await self._pace.hold(budget, seconds)

    async def expect_root(self, channel: str, session_id: str) -> Turn:
        """What the first message of a session that begins waits for. It keeps its place for half a
        minute, until its job takes the turn."""
        budget = budget_of("chat.postMessage", channel, self._messages_per_second)
        if budget is None:
            return Turn(0, 0.0)
        owner = SessionId.parse(session_id).owner
        return await self._pace.wait(budget, Priority.ROOT, expected=session_id, owner=owner)
