"""The limits of a workspace: what admins set in Slack over what the operator set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from bot.domain.limit_settings import (
    ChosenLimit,
    ChosenLimits,
    Field,
    LimitInForce,
    LimitKind,
    OperatorLimits,
    limit_in_force,
)
from bot.domain.limits import Limits
from bot.ports import LimitSettings

log = logging.getLogger(__name__)


class WorkspaceLimits:
    """`operator` are the limits of the environment, in the units of `LimitKind`."""

    def __init__(
        self, settings: LimitSettings, operator: OperatorLimits, now: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._now = now
        self.operator = operator

    async def chosen(self, team: str) -> ChosenLimits:
        return await self._settings.chosen(team)

    async def in_force(
        self, team: str, channel: str, user: str
    ) -> Mapping[LimitKind, LimitInForce]:
        """Every limit that an image of this person in this channel is held to."""
        chosen = await self._settings.chosen(team)
        return {
            kind: limit_in_force(kind, chosen, self.operator, channel=channel, user=user)
            for kind in LimitKind
        }

    async def limits_of(self, team: str, channel: str, user: str) -> Limits:
        """The same as numbers, in the order of `Limits`."""
        in_force = await self.in_force(team, channel, user)
        return Limits(*(in_force[kind].value or None for kind in LimitKind))

    async def choose(
        self, team: str, by: str, wanted: Mapping[Field, int | None]
    ) -> dict[Field, int | None]:
        """Set what differs from what is set; answers that. None takes a value away."""
        chosen = await self._settings.chosen(team)
        now = {field: found.value for field, found in chosen.items()}
        changes = {field: value for field, value in wanted.items() if value != now.get(field)}
        at = self._now()
        await self._settings.choose(
            team,
            {
                field: None if value is None else ChosenLimit(value, by, at)
                for field, value in changes.items()
            },
        )
        for (scope, kind), value in changes.items():
            log.info("limit %s of %s: %s → %s", kind, scope.kind, now.get((scope, kind)), value)
        return changes
