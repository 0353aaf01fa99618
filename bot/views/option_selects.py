"""The four selects of how an image is asked for, and what was chosen in them."""

from __future__ import annotations

from typing import Any

from bot.domain.options import (
    BACKGROUNDS,
    MOST_CANDIDATES,
    NAMED_SIZES,
    QUALITIES,
    Options,
    background_of,
    count_of,
    quality_of,
    size_of,
)
from bot.domain.prompt import check_length
from bot.views import blocks
from bot.views.blocks import Block, Choice
from bot.views.ids import OPTION_BLOCKS

NOT_CHOSEN = "default"
"""The value of an option that is left to the defaults."""
LABELS = {
    "size": "Size",
    "quality": "Quality",
    "background": "Background",
    "count": "Candidates",
}
_SIZE_LABELS = {
    "square": "Square 1:1",
    "landscape": "Landscape 3:2",
    "portrait": "Portrait 2:3",
    "wide": "Wide 16:9",
    "tall": "Tall 9:16",
}
_QUALITY_LABELS = {"xhigh": "Extra high", "max": "Maximum"}


def option_value(value: str) -> str:
    """What a select's value stands for: empty where nothing was chosen. Raises `Refusal` for more
    than is read."""
    return "" if value == NOT_CHOSEN else check_length(value)


def option_inputs(options: Options, qualities: tuple[str, ...] = QUALITIES) -> list[Block]:
    """The selects of a form, each with its label."""
    return [
        {
            "type": "input",
            "block_id": block_id,
            "label": blocks.plain(LABELS[name]),
            "optional": True,
            "element": option_select(name, block_id, options, qualities),
        }
        for name, block_id in OPTION_BLOCKS.items()
    ]


def option_select(
    name: str,
    action_id: str,
    options: Options,
    qualities: tuple[str, ...] = QUALITIES,
    prefix: str = "",
) -> Block:
    """One select; each of its labels begins with the `prefix`, for where it has none itself. What
    is chosen and not on offer any more counts as not chosen."""
    offered = [Choice(NOT_CHOSEN, "Default"), *_choices(name, options, qualities)]
    chosen = str(getattr(options, name) or NOT_CHOSEN)
    if chosen not in {choice.value for choice in offered}:
        chosen = NOT_CHOSEN
    labelled = [Choice(value, f"{prefix}{label}") for value, label in offered]
    return blocks.select(action_id, labelled, chosen)


def read_options(values: dict[str, Any], qualities: tuple[str, ...] = QUALITIES) -> Options:
    """The options out of a view's `state.values`; a select that is missing says nothing. Raises
    `OptionRefused` for a value that cannot be."""
    size, quality, background, count = (chosen_in(values, b) for b in OPTION_BLOCKS.values())
    return Options(
        size=size_of(size) if size else "",
        quality=quality_of(quality, qualities) if quality else "",
        background=background_of(background) if background else "",
        count=count_of(count) if count else 0,
    )


def chosen_in(values: dict[str, Any], block_id: str) -> str:
    """The value chosen in the select of a block, whose action id is the same; empty for none."""
    option = values.get(block_id, {}).get(block_id, {}).get("selected_option") or {}
    return option_value(option.get("value") or "")


def _choices(name: str, options: Options, qualities: tuple[str, ...]) -> list[Choice]:
    match name:
        case "size":
            return _sizes(options.size)
        case "quality":
            return [Choice(q, _QUALITY_LABELS.get(q, q.capitalize())) for q in qualities]
        case "background":
            return [Choice(each, each.capitalize()) for each in BACKGROUNDS]
        case _:
            return [Choice(str(n), str(n)) for n in range(1, MOST_CANDIDATES + 1)]


def _sizes(current: str) -> list[Choice]:
    """By name, and the one in use where it has none."""
    named = [Choice(size, _SIZE_LABELS[name]) for name, size in NAMED_SIZES.items()]
    offered = [*named, Choice("auto", "Auto")]
    if current and current not in {choice.value for choice in offered}:
        offered.append(Choice(current, current.replace("x", "×")))
    return offered
