"""What the form of limits shows, and what is typed in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.limit_settings import (
    WORKSPACE,
    ChosenLimits,
    Field,
    LimitKind,
    Scope,
    ScopeKind,
    fields_of,
    parse_limit,
)
from bot.views import ids

Typed = Mapping[str, str]
"""What stands in the fields of an open form, by their block ids."""


MOST_PEOPLE = 15
"""More do not fit into Slack's 3,000 characters for the state of a form."""


@dataclass(frozen=True)
class LimitsFormState:
    """The scopes of the form; `channel` is empty where there is none to set limits for. `people`
    are those for whom something is typed, and last the one who was chosen. `shown` is what was set
    when a field was first shown, by its block id: a field that is left as it is changes nothing,
    whatever another admin has set meanwhile."""

    channel: str = ""
    people: tuple[str, ...] = ()
    shown: Mapping[str, int | None] = field(default_factory=dict)

    def __str__(self) -> str:
        return json.dumps([self.channel, self.people, self.shown], separators=(",", ":"))

    @classmethod
    def of(cls, metadata: str | None) -> LimitsFormState:
        """A form of the version before has one person, who is no list."""
        try:
            channel, people, shown = json.loads(metadata or "")
            people = [people] if isinstance(people, str) else people
            return cls(str(channel), tuple(filter(None, map(str, people))), dict(shown))
        except (ValueError, TypeError, RecursionError):
            return cls()

    def choosing(self, person: str, typed: Typed) -> LimitsFormState:
        """The state where this person is chosen; empty for nobody. People for
        whom something is typed stay; where these are too many, the person is not shown."""
        others = [each for each in self.people if each != person and self._is_changed(each, typed)]
        people = [*others, person] if person else others
        return replace(self, people=tuple(people[:MOST_PEOPLE]))

    def _is_changed(self, person: str, typed: Typed) -> bool:
        fields = fields_of(Scope(ScopeKind.USER, person))
        return any(
            _is_changed(kind, block_id_of(of, kind), typed, self.shown) for of, kind in fields
        )

    def showing(self, chosen: ChosenLimits) -> LimitsFormState:
        """The state of a form that shows these, too. Slack's clients keep what stands in a field
        that was there before."""
        values = {
            block_id_of(*each): chosen[each].value if each in chosen else None
            for each in fields_of(*self.scopes)
        }
        return replace(self, shown={name: self.shown.get(name, values[name]) for name in values})

    @property
    def scopes(self) -> list[Scope]:
        channel = [Scope(ScopeKind.CHANNEL, self.channel)] if self.channel else []
        people = [Scope(ScopeKind.USER, person) for person in self.people]
        return [WORKSPACE, *channel, *people]


@dataclass(frozen=True)
class WrongFields(Exception):
    """The mistakes in the form, by block id."""

    errors: dict[str, str]


def typed_in(values: dict[str, Any]) -> Typed:
    """What stands in the fields, of a form's values."""
    return {
        block_id: actions[ids.LIMIT_INPUT].get("value") or ""
        for block_id, actions in values.items()
        if ids.LIMIT_INPUT in actions
    }


def _is_changed(
    kind: LimitKind, block_id: str, typed: Typed, shown: Mapping[str, int | None]
) -> bool:
    if block_id not in typed:
        return False
    try:
        return parse_limit(kind, typed[block_id]) != shown.get(block_id)
    except ValueError:
        return True


def read_limits(state: LimitsFormState, values: dict[str, Any]) -> dict[Field, int | None]:
    """The changes made in the form, by field; None for a field that was emptied. Raises
    `WrongFields`."""
    read: dict[Field, int | None] = {}
    errors, typed = {}, typed_in(values)
    for scope, kind in fields_of(*state.scopes):
        block_id = block_id_of(scope, kind)
        try:
            value = parse_limit(kind, typed.get(block_id, ""))
        except ValueError as error:
            errors[block_id] = str(error)
            continue
        if value != state.shown.get(block_id):
            read[scope, kind] = value
    if errors:
        raise WrongFields(errors)
    return read


def block_id_of(scope: Scope, kind: LimitKind) -> str:
    """The id names the scope: Slack's clients keep typed text in a block whose id stays."""
    return f"{scope}/{kind}"
