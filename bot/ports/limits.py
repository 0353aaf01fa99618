"""The limits that admins set in Slack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.limit_settings import ChosenLimit, ChosenLimits, Field
from bot.domain.limits import Limits
from bot.domain.record import RecordEvent

LimitsOf = Callable[[str, str, str], Awaitable[Limits]]
"""The limits that count in a workspace (team), for a channel and a person, whose key it takes."""


class LimitSettings(Protocol):
    """Every method raises `StoreUnavailable` when the store is away."""

    async def chosen(self, team: str, fields: Collection[Field]) -> ChosenLimits:
        """The limits among these fields that are set in a workspace."""

    async def choose(
        self,
        team: str,
        before: ChosenLimits,
        changes: Mapping[Field, ChosenLimit | None],
        events: Sequence[RecordEvent],
    ) -> bool:
        """Set these together, and write the events to the record; None takes a value away. False,
        and nothing is written, where one of these is not set any more as `before` has it."""
