"""What can be asked of an image, and what is said of the rest."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from bot.domain.option_table import OPTIONS, parse_count
from bot.domain.options import NO_OPTIONS, Options, OptionSpec
from bot.domain.refusals import OptionRefused
from bot.views import ids


@pytest.mark.parametrize("quality", list(OPTIONS["quality"].choices))
def test_a_quality_is_taken_in_any_case(quality: str) -> None:
    assert OPTIONS["quality"].parse(f" {quality.upper()} ") == quality


def test_a_quality_that_the_model_lacks_is_refused_with_those_it_has() -> None:
    table = OPTIONS.limited_to(quality=("low", "high"))
    assert table["quality"].parse("low") == "low"
    with pytest.raises(OptionRefused) as refusal:
        table["quality"].parse("max")
    assert (refusal.value.option, refusal.value.value) == ("--quality", "max")
    assert refusal.value.allowed == ("low", "high")


@pytest.mark.parametrize("background", list(OPTIONS["background"].choices))
def test_a_background_is_taken_in_any_case(background: str) -> None:
    assert OPTIONS["background"].parse(f" {background.title()} ") == background


def test_another_background_is_refused_with_those_there_are() -> None:
    with pytest.raises(OptionRefused) as refusal:
        OPTIONS["background"].parse("green")
    assert (refusal.value.option, refusal.value.allowed) == (
        "--background",
        ("auto", "transparent", "opaque"),
    )


@pytest.mark.parametrize(("typed", "count"), [("1", 1), ("4", 4), (" 3 ", 3), ("02", 2)])
def test_one_to_four_candidates_can_be_asked_for(typed: str, count: int) -> None:
    assert parse_count(typed) == count


@pytest.mark.parametrize(
    "typed", ["", "0", "5", "-1", "+2", "1.0", "two", "³", "½", "1e0", "999", "9" * 5_000]
)
def test_any_other_number_is_refused(typed: str) -> None:
    with pytest.raises(OptionRefused) as refusal:
        OPTIONS["count"].parse(typed)
    assert (refusal.value.option, refusal.value.value) == ("--n", typed)


# together


def test_options_fall_back_one_by_one() -> None:
    mine = Options(size="1024x1024", count=2)
    defaults = Options(size="auto", quality="low", background="opaque", count=4)
    assert mine.over(defaults) == Options(
        size="1024x1024", quality="low", background="opaque", count=2
    )
    assert NO_OPTIONS.over(defaults) == defaults
    assert mine.over(NO_OPTIONS) == mine


def test_one_candidate_is_made_where_no_number_was_asked_for() -> None:
    assert (NO_OPTIONS.candidates, Options(count=3).candidates) == (1, 3)


def test_what_is_not_chosen_makes_no_difference() -> None:
    assert Options(size="", count=0) == NO_OPTIONS
    assert Options(count=2, size="auto") == Options(size="auto", count=2)
    assert Options(size="auto", count=2).replace(size="") == Options(count=2)
    assert len({Options(count=2), Options(count=2), NO_OPTIONS}) == 2


def test_options_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        NO_OPTIONS.chosen = (("count", 4),)  # type: ignore[misc]


# the table


def test_of_a_persons_options_only_those_on_offer_are_left() -> None:
    table = OPTIONS.limited_to(quality=("low",))
    mine = Options(size="1280x720", quality="max", background="opaque", count=3, invented="x")
    assert table.offered(mine) == Options(size="1280x720", background="opaque", count=3)
    assert OPTIONS.offered(mine) == mine.replace(invented="")


def test_a_limited_table_leaves_the_other_options_and_the_whole_table_as_they_are() -> None:
    limited = OPTIONS.limited_to(quality=("low",))
    assert limited["quality"].choices == {"low": "Low"}
    assert limited["size"] == OPTIONS["size"]
    assert "max" in OPTIONS["quality"].choices


def test_a_name_that_no_option_has_is_refused() -> None:
    with pytest.raises(OptionRefused) as refusal:
        OPTIONS["invented"]
    assert refusal.value.option == "--invented"


def test_no_two_options_share_a_name_and_no_field_of_a_form_has_one() -> None:
    names = [spec.name for spec in OPTIONS] + [ids.PROMPT_BLOCK, ids.PICTURE_BLOCK]
    flags = [name for spec in OPTIONS for flag in spec.flags for name in (flag.name, *flag.aliases)]
    typed = flags + [switch for spec in OPTIONS for switch in spec.switches]
    assert len(set(names)) == len(names)
    assert len(set(typed)) == len(typed)
    assert all(ids.ACTIONS[ids.DEFAULT_OPTION].search(f"{ids.DEFAULT_OPTION}_{n}") for n in names)


@pytest.mark.parametrize("spec", OPTIONS.specs, ids=lambda spec: spec.name)
def test_every_choice_on_offer_can_be_chosen(spec: OptionSpec) -> None:
    assert [str(spec.parse(value)) for value in spec.choices] == list(spec.choices)
    assert set(spec.switches) <= set(spec.choices)
