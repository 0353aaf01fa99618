"""The form in which admins set limits, and what is read from it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind
from bot.sandbox.webapi.block_kit import view_problems
from bot.views import ids
from bot.views.limits_form import (
    LABELS,
    LimitsFormState,
    WrongFields,
    limits_form,
    read_limits,
    saved_words,
)
from tests.fakes import CHANNEL, OWNER

IMAGES, PERSON, OF_CHANNEL, TOTAL = LimitKind
ROOM, SOMEBODY = Scope(ScopeKind.CHANNEL, CHANNEL), Scope(ScopeKind.USER, OWNER)
STATE = LimitsFormState(CHANNEL, OWNER)
CHOSEN = {
    (WORKSPACE, IMAGES): ChosenLimit(20, OWNER, 1.0),
    (SOMEBODY, PERSON): ChosenLimit(12_500_000, OWNER, 1.0),
}
OPERATOR = {TOTAL: 500_000_000}


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def typed(**texts: str | None) -> dict[str, Any]:
    """The values of the workspace's fields, by their kinds."""
    return {
        f"{WORKSPACE}/{kind}": {ids.LIMIT_INPUT: {"value": text}} for kind, text in texts.items()
    }


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
    assert (state.channel, state.person) == (CHANNEL, OWNER)
    assert state.shown[f"workspace/{IMAGES}"] == 20
    assert state.shown[f"workspace/{TOTAL}"] is None


@pytest.mark.parametrize(
    "metadata", [None, "", "{", "[]", "[1]", "5", '["C1","U1",5]', "null", "[" * 3_000]
)
def test_another_state_is_an_empty_one(metadata: str | None) -> None:
    assert LimitsFormState.of(metadata) == LimitsFormState()


def test_what_a_field_showed_first_is_kept_while_it_is_shown() -> None:
    first = LimitsFormState(person=OWNER).showing(CHOSEN)
    later = first.showing({(WORKSPACE, IMAGES): ChosenLimit(99, OWNER, 2.0)})
    assert later.shown == first.shown
    somebody_else = LimitsFormState("", "U9", first.shown).showing({})
    assert f"user:{OWNER}/{PERSON}" not in somebody_else.shown
    assert somebody_else.shown[f"workspace/{IMAGES}"] == 20


def test_fields_that_were_changed_are_read() -> None:
    state = LimitsFormState().showing(CHOSEN)
    values = typed(user_images_per_day="", workspace_budget_per_month="$1,50")
    assert read_limits(state, values) == {
        (WORKSPACE, IMAGES): None,
        (WORKSPACE, TOTAL): 1_500_000,
    }


@pytest.mark.parametrize("text", ["20", " 20 "])
def test_a_field_that_is_left_as_it_was_is_no_change(text: str) -> None:
    state = LimitsFormState().showing(CHOSEN)
    assert read_limits(state, typed(user_images_per_day=text)) == {}


def test_each_mistake_is_told_below_its_field() -> None:
    with pytest.raises(WrongFields) as wrong:
        read_limits(
            LimitsFormState(),
            typed(
                user_images_per_day="1.5",
                user_budget_per_month="much",
                channel_budget_per_month="7",
            ),
        )
    assert list(wrong.value.errors) == [f"workspace/{IMAGES}", f"workspace/{PERSON}"]
    assert "whole number" in wrong.value.errors[f"workspace/{IMAGES}"]


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
