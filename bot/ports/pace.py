"""Slack's rate limits: who may call next."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Protocol


class Priority(IntEnum):
    """Which of the calls that wait for one budget goes first."""

    ANSWER = 0
    """A person waits for it after a click or a message: Approve, Cancel, an answer."""
    DRAFT = 1
    ROOT = 2
    """The first message of a session, and what nobody waits for."""
    EDIT = 3
    """A status, a preview: the first to be left out."""


class Budget(NamedTuple):
    """Calls that Slack counts together. `burst` calls may go at once after a pause."""

    name: str
    per_second: float
    burst: int = 1


class Turn(NamedTuple):
    """How many calls go before one, and the seconds until it is due."""

    ahead: int
    seconds: float


class RateLimiter(Protocol):
    """The budgets of one workspace, which all processes share."""

    async def take(
        self,
        budget: Budget,
        priority: Priority,
        patience: float | None = None,
        *,
        expected: str = "",
        owner: str = "",
    ) -> None:
        """Sleep until one call may be made. Raises `SlackBusy` at once where that would take more
        than `patience` seconds, and else after these. A call that was `expected` goes as if it had
        asked then. Among calls that have an `owner`, one who has several lets others pass."""

    async def hold(self, budget: Budget, seconds: float) -> None:
        """Let nobody call for so long: Slack said so. Never raises."""

    async def wait(
        self, budget: Budget, priority: Priority, *, expected: str = "", owner: str = ""
    ) -> Turn:
        """What a call would wait for now. One that is `expected` soon, by this name, counts for
        those that ask after it. Never raises."""
