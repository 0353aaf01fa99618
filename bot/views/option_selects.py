"""The selects of the options, and what was chosen in them."""

from __future__ import annotations

from typing import Any

from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options, OptionSpec, OptionTable
from bot.domain.prompt import check_length
from bot.views import blocks
from bot.views.blocks import Block, Choice

LIKE_PICTURE = "the picture's shape"
NOT_CHOSEN = "default"
"""The value of an option that is left to the defaults."""


def option_value(value: str) -> str:
    """The option's value for a select's value; empty where nothing was chosen. Raises `Refusal` for
    a value that is too long."""
    return "" if value == NOT_CHOSEN else check_length(value)


def option_inputs(
    options: Options, table: OptionTable = OPTIONS, *, from_picture: bool = False
) -> list[Block]:
    """The selects of a form, each with its label, and what counts where nothing is chosen: of an
    image that starts from a picture, the picture's shape. An option's name is the id of its block
    and of its action."""
    defaults = table.defaults
    if from_picture and defaults.size:
        defaults = defaults.replace(size=LIKE_PICTURE)
    return [
        {
            "type": "input",
            "block_id": spec.name,
            "label": blocks.plain(spec.label),
            "optional": True,
            "element": option_select(spec, spec.name, options, defaults),
        }
        for spec in table
    ]


def option_select(
    spec: OptionSpec,
    action_id: str,
    options: Options,
    defaults: Options = NO_OPTIONS,
    prefix: str = "",
) -> Block:
    """One select. Each of its labels begins with the `prefix`, for a select that has no label of
    its own. A chosen value that is not on offer any more counts as not chosen."""
    default = defaults.get(spec.name)
    named = f"Default ({spec.default_label(default)})" if default else "Default"
    offered = {NOT_CHOSEN: named, **spec.choices}
    chosen = options.get(spec.name)
    value = str(chosen) if chosen and spec.offers(chosen) else NOT_CHOSEN
    if value not in offered:
        offered[value] = spec.in_words(chosen)
    labelled = [Choice(each, f"{prefix}{label}") for each, label in offered.items()]
    return blocks.select(action_id, labelled, value)


def read_options(values: dict[str, Any], table: OptionTable = OPTIONS) -> Options:
    """The options in a view's `state.values`. A missing select leaves its option unchosen. Raises
    `OptionRefused` for an impossible value."""
    chosen = {spec.name: chosen_in(values, spec.name) for spec in table}
    return Options(**{name: table[name].parse(value) for name, value in chosen.items() if value})


def chosen_in(values: dict[str, Any], block_id: str) -> str:
    """The value chosen in the select of a block, whose action id is the same; empty for none."""
    option = values.get(block_id, {}).get(block_id, {}).get("selected_option") or {}
    return option_value(option.get("value") or "")
