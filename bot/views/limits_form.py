"""The form in which admins set limits: for the workspace, for a channel, and for one person."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from bot.domain.limit_settings import (
    KINDS_OF,
    ChosenLimits,
    Field,
    LimitInForce,
    LimitKind,
    OperatorLimits,
    Scope,
    ScopeKind,
    limit_in_force,
    limit_words,
    typed_limit,
)
from bot.views import blocks, ids
from bot.views.blocks import Block
from bot.views.limits_state import MOST_PEOPLE, LimitsFormState, Typed, block_id_of

View = dict[str, Any]

LABELS = {
    LimitKind.USER_IMAGES_PER_DAY: "Images of a person in a day",
    LimitKind.USER_BUDGET_PER_MONTH: "Budget of a person for a month, in dollars",
    LimitKind.CHANNEL_BUDGET_PER_MONTH: "Budget of a channel for a month, in dollars",
    LimitKind.WORKSPACE_BUDGET_PER_MONTH: "Budget of the workspace for a month, in dollars",
}
_NO_ROOM = "There is no room for more people here. Save first, and open the form again for others."
_INTRO = (
    "Leave a field empty to set nothing here: then the wider limit counts. 0 sets no limit. "
    "Money is an estimate until the provider has told what an image cost."
)


def limits_form(
    state: LimitsFormState,
    chosen: ChosenLimits,
    operator: OperatorLimits,
    typed: Typed = MappingProxyType({}),
) -> View:
    """Each field says what counts now, and where that comes from. What is `typed` stays."""
    shown: list[Block] = [blocks.context(_INTRO)]
    for scope in state.scopes:
        shown.append(_title(scope))
        for kind in KINDS_OF[scope.kind]:
            shown.append(_limit_field(scope, kind, chosen, operator, typed))
    shown += [blocks.header("One person"), _person_field(state.people)]
    if len(state.people) == MOST_PEOPLE:
        shown.append(blocks.context(_NO_ROOM))
    return {
        "type": "modal",
        "callback_id": ids.LIMITS_FORM,
        "private_metadata": str(state.showing(chosen)),
        "title": blocks.plain("Limits"),
        "submit": blocks.plain("Save"),
        "close": blocks.plain("Cancel"),
        "blocks": shown,
    }


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
    scope: Scope, kind: LimitKind, chosen: ChosenLimits, operator: OperatorLimits, typed: Typed
) -> Block:
    own = chosen.get((scope, kind))
    in_force = _in_force(scope, kind, chosen, operator)
    element: Block = {
        "type": "plain_text_input",
        "action_id": ids.LIMIT_INPUT,
        "max_length": 16,
        "placeholder": blocks.plain("Such as 25.00" if kind.in_dollars else "Such as 100"),
    }
    stands = typed_limit(kind, own.value) if own is not None else ""
    if text := typed.get(block_id_of(scope, kind), stands):
        element["initial_value"] = text
    return {
        "type": "input",
        "block_id": block_id_of(scope, kind),
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


def _person_field(people: tuple[str, ...]) -> Block:
    """Choosing somebody shows their own limits."""
    select: Block = {
        "type": "users_select",
        "action_id": ids.LIMITS_PERSON,
        "placeholder": blocks.plain("Choose a person"),
    }
    if people:
        select["initial_user"] = people[-1]
    words = "Set limits for one person, over those of the workspace."
    return blocks.section(words) | {"block_id": ids.LIMITS_PERSON, "accessory": select}
