"""What the form of limits shows, and what is read from it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind, Scope, ScopeKind
from bot.views import ids
from bot.views.limits_state import LimitsFormState, WrongFields, read_limits
from tests.fakes import OWNER

IMAGES, PERSON, OF_CHANNEL, TOTAL = LimitKind
SOMEBODY = Scope(ScopeKind.USER, OWNER)
CHOSEN = {
    (WORKSPACE, IMAGES): ChosenLimit(20, OWNER, 1.0),
    (SOMEBODY, PERSON): ChosenLimit(12_500_000, OWNER, 1.0),
}


def typed(**texts: str | None) -> dict[str, Any]:
    """The values of the workspace's fields, by their kinds."""
    return {
        f"{WORKSPACE}/{kind}": {ids.LIMIT_INPUT: {"value": text}} for kind, text in texts.items()
    }


@pytest.mark.parametrize(
    "metadata", [None, "", "{", "[]", "[1]", "5", '["C1","U1",5]', "null", "[" * 3_000]
)
def test_another_state_is_an_empty_one(metadata: str | None) -> None:
    assert LimitsFormState.of(metadata) == LimitsFormState()


def test_what_a_field_showed_first_is_kept_while_it_is_shown() -> None:
    first = LimitsFormState(people=(OWNER,)).showing(CHOSEN)
    later = first.showing({(WORKSPACE, IMAGES): ChosenLimit(99, OWNER, 2.0)})
    assert later.shown == first.shown
    somebody_else = LimitsFormState("", ("U9",), first.shown).showing({})
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
