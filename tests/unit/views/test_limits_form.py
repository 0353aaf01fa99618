"""The form in which admins set limits."""

from __future__ import annotations

from typing import Any

from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind
from bot.sandbox.webapi.block_kit import view_problems
from bot.views.limits_form import LABELS, limits_form, saved_words
from bot.views.limits_state import LimitsFormState
from tests.fakes import CHANNEL, OWNER

IMAGES, PERSON, OF_CHANNEL, TOTAL = LimitKind
ROOM, SOMEBODY = Scope(ScopeKind.CHANNEL, CHANNEL), Scope(ScopeKind.USER, OWNER)
STATE = LimitsFormState(CHANNEL, (OWNER,))
CHOSEN = {
    (WORKSPACE, IMAGES): ChosenLimit(20, OWNER, 1.0),
    (SOMEBODY, PERSON): ChosenLimit(12_500_000, OWNER, 1.0),
}
OPERATOR = {TOTAL: 500_000_000}


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def test_each_scope_has_its_fields_with_what_is_set_and_what_counts() -> None:
    view = limits_form(STATE, CHOSEN, OPERATOR)
    assert view_problems(view) == []
    fields = inputs(view)
    assert list(fields) == [
        *(f"workspace/{kind}" for kind in LimitKind),
        f"channel:{CHANNEL}/{OF_CHANNEL}",
        f"user:{OWNER}/{IMAGES}",
        f"user:{OWNER}/{PERSON}",
    ]
    typed = {name: each["element"].get("initial_value") for name, each in fields.items()}
    assert {name: value for name, value in typed.items() if value} == {
        f"workspace/{IMAGES}": "20",
        f"user:{OWNER}/{PERSON}": "12.5",
    }
    hints = {name: each["hint"]["text"] for name, each in fields.items()}
    assert "20 images, set here for the workspace" in hints[f"user:{OWNER}/{IMAGES}"]
    assert "set here for this person" in hints[f"user:{OWNER}/{PERSON}"]
    assert "from the settings of whoever runs this bot" in hints[f"workspace/{TOTAL}"]


def test_without_a_channel_or_a_person_the_workspace_stands_alone() -> None:
    fields = inputs(limits_form(LimitsFormState(), {}, {}))
    assert list(fields) == [f"workspace/{kind}" for kind in LimitKind]


def test_the_state_survives_its_way_through_slack() -> None:
    view = limits_form(STATE, CHOSEN, OPERATOR)
    state = LimitsFormState.of(view["private_metadata"])
    assert (state.channel, state.people) == (CHANNEL, (OWNER,))
    assert state.shown[f"workspace/{IMAGES}"] == 20
    assert state.shown[f"workspace/{TOTAL}"] is None


def test_what_was_saved_is_told_by_its_scope_and_label() -> None:
    words = saved_words(
        {(WORKSPACE, TOTAL): None, (ROOM, OF_CHANNEL): 5_000_000, (SOMEBODY, IMAGES): 0},
        CHOSEN,
        OPERATOR,
    )
    of_workspace, of_room, of_person = words.splitlines()[1:]
    assert f"The workspace: {LABELS[TOTAL].lower()}: no value of its own any more" in of_workspace
    assert "from the settings of whoever runs this bot" in of_workspace
    assert of_room.startswith(f"• <#{CHANNEL}>: {LABELS[OF_CHANNEL].lower()}: $5")
    assert of_person.startswith(f"• <@{OWNER}>: {LABELS[IMAGES].lower()}: ")
    assert saved_words({}, CHOSEN, OPERATOR) == "Nothing has changed."
