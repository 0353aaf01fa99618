"""The four selects, and what is read from them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options, Value
from bot.domain.refusals import OptionRefused
from bot.domain.sizes import NAMED_SIZES
from bot.views.option_selects import (
    NOT_CHOSEN,
    option_inputs,
    option_select,
    option_value,
    read_options,
)

FEW = OPTIONS.limited_to(quality=("auto", "low"))


def values(**chosen: str) -> dict[str, Any]:
    return {name: {name: {"selected_option": {"value": value}}} for name, value in chosen.items()}


def labels(select: dict[str, Any]) -> list[str]:
    return [option["text"]["text"] for option in select["options"]]


def test_every_named_size_is_on_offer_after_the_default() -> None:
    select = option_select(OPTIONS["size"], "size", NO_OPTIONS)
    assert labels(select) == [
        "Default",
        "Square 1:1",
        "Landscape 3:2",
        "Portrait 2:3",
        "Wide 16:9",
        "Tall 9:16",
        "Auto",
    ]
    offered = [option["value"] for option in select["options"]]
    assert offered == [NOT_CHOSEN, *NAMED_SIZES.values(), "auto"]
    assert select["initial_option"]["value"] == NOT_CHOSEN


def test_a_size_without_a_name_is_on_offer_while_it_is_in_use() -> None:
    select = option_select(OPTIONS["size"], "size", Options(size="1280x720"))
    assert labels(select)[-1] == "1280×720"
    assert select["initial_option"]["value"] == "1280x720"


def test_only_the_qualities_that_the_model_has_are_on_offer() -> None:
    select = option_select(FEW["quality"], "q", Options(quality="max"))
    assert labels(select) == ["Default", "Auto", "Low"]
    assert select["initial_option"]["value"] == NOT_CHOSEN


def test_labels_can_say_what_they_are_of() -> None:
    assert labels(option_select(OPTIONS["count"], "n", NO_OPTIONS, prefix="Images: "))[:2] == [
        "Images: Default",
        "Images: 1",
    ]


def test_the_selects_of_a_form_are_optional() -> None:
    inputs = option_inputs(NO_OPTIONS)
    assert [each["label"]["text"] for each in inputs] == [spec.label for spec in OPTIONS]
    assert all(each["optional"] for each in inputs)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"size": {}},
        {"size": {"size": {}}},
        {"size": {"size": {"type": "static_select", "selected_option": None}}},
        {"prompt": {"prompt_input": {"value": "x"}}},
        values(size=NOT_CHOSEN, quality=NOT_CHOSEN, background=NOT_CHOSEN, count=NOT_CHOSEN),
    ],
)
def test_what_is_missing_or_not_chosen_says_nothing(state: dict[str, Any]) -> None:
    assert read_options(state) == NO_OPTIONS


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("size", "1000x1000", "--size"),
        ("size", "<!channel>", "--size"),
        ("quality", "superb", "--quality"),
        ("background", "red", "--background"),
        ("count", "9", "--n"),
        ("count", "x", "--n"),
    ],
)
def test_an_invented_value_is_refused(name: str, value: str, option: str) -> None:
    with pytest.raises(OptionRefused) as refused:
        read_options(values(**{name: value}))
    assert refused.value.option == option


def test_a_quality_that_the_model_lacks_is_refused() -> None:
    with pytest.raises(OptionRefused):
        read_options(values(quality="max"), FEW)


def test_the_value_of_a_default_is_empty() -> None:
    assert (option_value(NOT_CHOSEN), option_value("high")) == ("", "high")


@pytest.mark.parametrize(
    ("name", "default", "label"),
    [
        ("size", "1024x1024", "Default (1024×1024)"),
        ("size", "auto", "Default (Auto)"),
        ("quality", "medium", "Default (Medium)"),
        ("quality", "xhigh", "Default (Extra high)"),
        ("quality", "hd", "Default (hd)"),
        ("background", "auto", "Default (Auto)"),
        ("count", 1, "Default (1)"),
    ],
)
def test_a_select_says_what_counts_where_nothing_is_chosen(
    name: str, default: Value, label: str
) -> None:
    table = OPTIONS.with_defaults(**{name: default})
    shown = {block["block_id"]: block for block in option_inputs(NO_OPTIONS, table)}
    assert shown[name]["element"]["initial_option"]["text"]["text"] == label
    like = {b["block_id"]: b for b in option_inputs(NO_OPTIONS, table, from_picture=True)}
    first = like[name]["element"]["initial_option"]["text"]["text"]
    assert first == ("Default (the picture's shape)" if name == "size" else label)
