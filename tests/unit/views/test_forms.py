"""The modals."""

from __future__ import annotations

import pytest

from bot.sandbox.blockkit import view_problems
from bot.sandbox.markup import pings_in_blocks
from bot.views import ids
from bot.views.forms import View, edit_form, prompt_form
from bot.views.ids import Target, parse_target
from tests.unit.views.samples import PROMPTS

TARGET = Target("T1.U1.abc123", 2)


def field(form: View) -> dict[str, object]:
    element: dict[str, object] = form["blocks"][0]["element"]
    return element


@pytest.mark.parametrize("prompt", ["", *PROMPTS.values()], ids=["empty", *PROMPTS.keys()])
def test_every_form_is_lawful_and_makes_no_markup(prompt: str) -> None:
    for form in (prompt_form(TARGET, prompt), edit_form(TARGET, prompt)):
        assert view_problems(form) == []
        assert pings_in_blocks(form["blocks"]) == []
        assert parse_target(form["private_metadata"]) == TARGET


def test_the_forms_are_told_apart_and_take_several_lines() -> None:
    new, edit = prompt_form(TARGET), edit_form(TARGET, "x")
    assert (new["callback_id"], edit["callback_id"]) == (ids.PROMPT_FORM, ids.EDIT_FORM)
    assert field(new)["multiline"] is True
    assert "initial_value" not in field(new)


def test_a_form_starts_with_the_prompt() -> None:
    assert field(prompt_form(TARGET, "a robot"))["initial_value"] == "a robot"
    assert "hint" not in edit_form(TARGET, "a robot")["blocks"][0]


def test_a_prompt_that_does_not_fit_is_cut_and_says_so() -> None:
    form = edit_form(TARGET, "🚀" * 3_000)
    assert str(field(form)["initial_value"]).endswith("🚀…")
    assert "was longer" in form["blocks"][0]["hint"]["text"]
