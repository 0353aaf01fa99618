"""The limits that admins set in Slack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from bot.domain.limit_settings import ChosenLimit, ChosenLimits, Field
from bot.domain.limits import Limits

LimitsOf = Callable[[str, str, str], Awaitable[Limits]]
"""The limits that count in a workspace (team), for a channel and a person, whose key it takes."""


class LimitSettings(Protocol):
    """Every method raises `StoreUnavailable` when the store is away."""

    async def chosen(self, team: str) -> ChosenLimits:
        """All that is set in a workspace."""

    async def choose(self, team: str, changes: Mapping[Field, ChosenLimit | None]) -> None:
        """Set these together; None takes a value away."""
