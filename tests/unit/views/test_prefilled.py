"""What the button that opens a form holds, and what is read from it."""

from __future__ import annotations

import pytest

from bot.domain.options import Options
from bot.domain.prompt import OptionsRefused, parse_flags
from bot.domain.refusals import Reason, Refusal
from bot.sandbox.webapi.block_kit import block_problems
from bot.views.blocks import VALUE
from bot.views.prefilled import Prefilled, correction_message, prefilled_of
from tests.unit.views.samples import HOSTILE, buttons


def refused(text: str) -> OptionsRefused:
    with pytest.raises(OptionsRefused) as refusal:
        parse_flags(text)
    return refusal.value


@pytest.mark.parametrize(
    "prefilled",
    [
        Prefilled(),
        Prefilled("a fox"),
        Prefilled(HOSTILE, Options(size="1024x1536", count=4), "C1"),
    ],
)
def test_what_a_button_holds_comes_back(prefilled: Prefilled) -> None:
    assert prefilled_of(str(prefilled)) == prefilled


def test_an_option_that_is_not_on_offer_any_more_is_left_out() -> None:
    assert prefilled_of('{"p":"a fox","o":{"gone":"vivid","quality":"low"}}') == Prefilled(
        "a fox", Options(quality="low")
    )


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "null", "5", '"x"', "[]", "{", "[" * 1_999),
        *('{"o":[]}', '{"o":"x"}', '{"o":{"quality":"superb"}}', '{"o":{"size":["1x1"]}}'),
    ],
)
def test_a_value_that_is_not_ours_is_refused(value: str | None) -> None:
    with pytest.raises(Refusal) as refusal:
        prefilled_of(value)
    assert refusal.value.reason is Reason.EXPIRED


def test_a_correction_opens_the_form_with_all_that_was_right() -> None:
    message = correction_message(refused("a fox --quality superb --n 2"), command=True)
    assert message is not None
    assert block_problems(message.blocks) == []
    ((_, value),) = buttons(message).values()
    assert prefilled_of(value) == Prefilled("a fox", Options(count=2))


def test_what_no_button_holds_has_no_correction() -> None:
    assert correction_message(refused("x" * VALUE + " --quality superb"), command=True) is None
