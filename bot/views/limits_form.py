"""The form in which admins set limits: for the workspace, for a channel, and for one person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.limit_settings import (
    KINDS_OF,
    WORKSPACE,
    ChosenLimits,
    Field,
    LimitInForce,
    LimitKind,
    OperatorLimits,
    Scope,
    ScopeKind,
    fields_of,
    limit_in_force,
    limit_words,
    parse_limit,
    typed_limit,
)
from bot.views import blocks, ids
from bot.views.blocks import Block

View = dict[str, Any]

LABELS = {
    LimitKind.USER_IMAGES_PER_DAY: "Images of a person in a day",
    LimitKind.USER_BUDGET_PER_MONTH: "Budget of a person for a month, in dollars",
    LimitKind.CHANNEL_BUDGET_PER_MONTH: "Budget of a channel for a month, in dollars",
    LimitKind.WORKSPACE_BUDGET_PER_MONTH: "Budget of the workspace for a month, in dollars",
}
_INTRO = (
    "Leave a field empty to set nothing here: then the wider limit counts. 0 sets no limit. "
    "Money is an estimate until the provider has told what an image cost."
)


@dataclass(frozen=True)
class LimitsFormState:
    """The scopes of the form; `channel` is empty where there is none to set limits for, `person`
    until one is chosen. `shown` is what was set when a field was first shown, by its block id: who
    leaves a field as it is changes nothing, whatever another admin has set meanwhile."""

    channel: str = ""
    person: str = ""
    shown: Mapping[str, int | None] = field(default_factory=dict)

    def __str__(self) -> str:
        return json.dumps([self.channel, self.person, self.shown], separators=(",", ":"))

    @classmethod
    def of(cls, metadata: str | None) -> LimitsFormState:
        try:
            channel, person, shown = json.loads(metadata or "")
            return cls(str(channel), str(person), dict(shown))
        except (ValueError, TypeError, RecursionError):
            return cls()

    def showing(self, chosen: ChosenLimits) -> LimitsFormState:
        """The state of a form that shows these, too. Slack's clients keep what stands in a field
        that was there before."""
        values = {
            _block_id(*each): chosen[each].value if each in chosen else None
            for each in fields_of(*self.scopes)
        }
        return replace(self, shown={name: self.shown.get(name, values[name]) for name in values})

    @property
    def scopes(self) -> list[Scope]:
        channel = [Scope(ScopeKind.CHANNEL, self.channel)] if self.channel else []
        person = [Scope(ScopeKind.USER, self.person)] if self.person else []
        return [WORKSPACE, *channel, *person]


@dataclass(frozen=True)
class WrongFields(Exception):
    """The mistakes in the form, by block id."""

    errors: dict[str, str]


def limits_form(state: LimitsFormState, chosen: ChosenLimits, operator: OperatorLimits) -> View:
    """Each field says what counts now, and where that comes from."""
    shown: list[Block] = [blocks.context(_INTRO)]
    for scope in state.scopes:
        shown.append(_title(scope))
        shown += [_limit_field(scope, kind, chosen, operator) for kind in KINDS_OF[scope.kind]]
    shown += [blocks.header("One person"), _person_field(state.person)]
    return {
        "type": "modal",
        "callback_id": ids.LIMITS_FORM,
        "private_metadata": str(state.showing(chosen)),
        "title": blocks.plain("Limits"),
        "submit": blocks.plain("Save"),
        "close": blocks.plain("Cancel"),
        "blocks": shown,
    }


def read_limits(state: LimitsFormState, values: dict[str, Any]) -> dict[Field, int | None]:
    """The changes made in the form, by field; None for a field that was emptied. Raises
    `WrongFields`."""
    read: dict[Field, int | None] = {}
    errors = {}
    for scope, kind in fields_of(*state.scopes):
        block_id = _block_id(scope, kind)
        typed = values.get(block_id, {}).get(ids.LIMIT_INPUT, {}).get("value") or ""
        try:
            value = parse_limit(kind, typed)
        except ValueError as error:
            errors[block_id] = str(error)
            continue
        if value != state.shown.get(block_id):
            read[scope, kind] = value
    if errors:
        raise WrongFields(errors)
    return read


def saved_words(
    changes: dict[Field, int | None], chosen: ChosenLimits, operator: OperatorLimits
) -> str:
    """The changes that an admin made, in mrkdwn, with what counts where a value was taken away."""
    if not changes:
        return "Nothing has changed."
    lines = []
    for (scope, kind), value in changes.items():
        if value is None:
            now = _now(kind, _in_force(scope, kind, chosen, operator))
            words = f"no value of its own any more. Now: {now}"
        else:
            words = limit_words(kind, value)
        lines.append(f"• {_scope_words(scope)}: {LABELS[kind].lower()}: {words}")
    return "\n".join(["Saved. It counts for the next image:", *lines])


def _title(scope: Scope) -> Block:
    words = {
        ScopeKind.WORKSPACE: "*The workspace*",
        ScopeKind.CHANNEL: f"*This channel*, <#{scope.id}>",
        ScopeKind.USER: f"*<@{scope.id}>*",
    }
    return blocks.section(words[scope.kind])


def _scope_words(scope: Scope) -> str:
    return {
        ScopeKind.WORKSPACE: "The workspace",
        ScopeKind.CHANNEL: f"<#{scope.id}>",
        ScopeKind.USER: f"<@{scope.id}>",
    }[scope.kind]


def _limit_field(
    scope: Scope, kind: LimitKind, chosen: ChosenLimits, operator: OperatorLimits
) -> Block:
    own = chosen.get((scope, kind))
    in_force = _in_force(scope, kind, chosen, operator)
    element: Block = {
        "type": "plain_text_input",
        "action_id": ids.LIMIT_INPUT,
        "max_length": 16,
        "placeholder": blocks.plain("Such as 25.00" if kind.in_dollars else "Such as 100"),
    }
    if own is not None:
        element["initial_value"] = typed_limit(kind, own.value)
    return {
        "type": "input",
        "block_id": _block_id(scope, kind),
        "label": blocks.plain(LABELS[kind]),
        "hint": blocks.plain(f"Now: {_now(kind, in_force)}."),
        "optional": True,
        "element": element,
    }


def _in_force(
    scope: Scope, kind: LimitKind, chosen: ChosenLimits, operator: OperatorLimits
) -> LimitInForce:
    channel = scope.id if scope.kind is ScopeKind.CHANNEL else ""
    user = scope.id if scope.kind is ScopeKind.USER else ""
    return limit_in_force(kind, chosen, operator, channel=channel, user=user)


def _now(kind: LimitKind, in_force: LimitInForce) -> str:
    return f"{limit_words(kind, in_force.value)}, {_origin(in_force)}"


def _origin(in_force: LimitInForce) -> str:
    if in_force.scope is None:
        return "from the settings of whoever runs this bot"
    of = {
        ScopeKind.WORKSPACE: "for the workspace",
        ScopeKind.CHANNEL: "for this channel",
        ScopeKind.USER: "for this person",
    }
    return f"set here {of[in_force.scope.kind]}"


def _person_field(person: str) -> Block:
    """Choosing somebody shows their own limits."""
    select: Block = {
        "type": "users_select",
        "action_id": ids.LIMITS_PERSON,
        "placeholder": blocks.plain("Choose a person"),
    }
    if person:
        select["initial_user"] = person
    words = "Set limits for one person, over those of the workspace."
    return blocks.section(words) | {"block_id": ids.LIMITS_PERSON, "accessory": select}


def _block_id(scope: Scope, kind: LimitKind) -> str:
    """The id names the scope: Slack's clients keep typed text in a block whose id stays."""
    return f"{scope}/{kind}"
