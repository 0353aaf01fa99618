"""The limits of a workspace: what admins set in Slack over what the operator set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping

from bot.domain.errors import Conflict
from bot.domain.limit_settings import (
    WORKSPACE,
    ChosenLimit,
    ChosenLimits,
    Field,
    LimitInForce,
    LimitKind,
    OperatorLimits,
    Scope,
    ScopeKind,
    fields_of,
    limit_in_force,
)
from bot.domain.limits import Limits
from bot.domain.policy import user_of_key
from bot.domain.record import RecordEvent, settings_changed
from bot.ports import LimitSettings

log = logging.getLogger(__name__)

_MOST_TRIES = 5


class WorkspaceLimits:
    """`operator` are the limits of the environment, in the units of `LimitKind`."""

    def __init__(
        self, settings: LimitSettings, operator: OperatorLimits, now: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._now = now
        self.operator = operator

    async def chosen(self, team: str, scopes: Collection[Scope]) -> ChosenLimits:
        return await self._settings.chosen(team, fields_of(*scopes))

    async def in_force(
        self, team: str, channel: str, payer: str
    ) -> Mapping[LimitKind, LimitInForce]:
        """Every limit that an image in this channel is held to, which the person with this key asks
        for. A limit is set for a user id, also of people of other organisations."""
        user = user_of_key(payer)
        scopes = [WORKSPACE, Scope(ScopeKind.CHANNEL, channel), Scope(ScopeKind.USER, user)]
        chosen = await self.chosen(team, scopes)
        return {
            kind: limit_in_force(kind, chosen, self.operator, channel=channel, user=user)
            for kind in LimitKind
        }

    async def limits_of(self, team: str, channel: str, payer: str) -> Limits:
        """The limits in force as numbers, in the order of `Limits`."""
        in_force = await self.in_force(team, channel, payer)
        return Limits(*(in_force[kind].value or None for kind in LimitKind))

    async def choose(
        self, team: str, by: str, wanted: Mapping[Field, int | None]
    ) -> dict[Field, int | None]:
        """Set what differs from what is set; answers that. None takes a value away. The record
        tells each value before and after. Raises `Conflict`."""
        for _ in range(_MOST_TRIES):
            chosen = await self._settings.chosen(team, list(wanted))
            now = {field: found.value for field, found in chosen.items()}
            changes = {field: value for field, value in wanted.items() if value != now.get(field)}
            if not changes:
                return {}
            at = self._now()
            new = {
                field: None if value is None else ChosenLimit(value, by, at)
                for field, value in changes.items()
            }
            events = [_changed(by, each, now.get(each), value) for each, value in changes.items()]
            if await self._settings.choose(team, chosen, new, events):
                for (scope, kind), value in changes.items():
                    was = now.get((scope, kind))
                    log.info("limit %s of %s: %s → %s", kind, scope.kind, was, value)
                return changes
        raise Conflict(team)


def _changed(by: str, field: Field, before: int | None, after: int | None) -> RecordEvent:
    scope, kind = field
    channel = scope.id if scope.kind is ScopeKind.CHANNEL else ""
    about = scope.id if scope.kind is ScopeKind.USER else ""
    return settings_changed(by, kind.value, before, after, channel, about)
