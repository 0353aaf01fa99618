"""The options that people can choose, each declared once.

To add one, add an `OptionSpec` to `OPTIONS`. The flags of the command and of mentions, the forms,
the defaults of the Home tab, the help, the status line, what is stored and what the provider is
asked all follow the table.
"""

from __future__ import annotations

import re

from bot.domain.options import (
    AUTO,
    MOST_CANDIDATES,
    Flag,
    OptionSpec,
    OptionTable,
)
from bot.domain.refusals import ImpossibleValue
from bot.domain.sizes import RATIO_TAKES, SIZE_LABELS, SIZE_TAKES, parse_ratio, parse_size

_MODEL_VERSION = re.compile(r"^gpt-image-(\d+)(?:\.(\d+))?(?!\d)")
_COUNT = re.compile(r"\d{1,3}")


def parse_count(text: str) -> int:
    """Raises `ImpossibleValue`."""
    value = text.strip()
    if not (_COUNT.fullmatch(value) and 1 <= int(value) <= MOST_CANDIDATES):
        raise ImpossibleValue
    return int(value)


def _labelled(*values: str, **labels: str) -> dict[str, str]:
    """Choices by value; the label is the value itself, unless it has another."""
    return {value: labels.get(value, value.capitalize()) for value in values}


OPTIONS = OptionTable(
    [
        OptionSpec(
            "size",
            "Size",
            flags=(
                Flag("ar", aliases=("aspect", "ratio"), takes=RATIO_TAKES, parse=parse_ratio),
                Flag("size", takes=SIZE_TAKES, parse=parse_size),
            ),
            choices={**SIZE_LABELS, AUTO: "Auto"},
            open_ended=True,
            words=lambda size: str(size).replace("x", "×"),
            argument="size",
        ),
        OptionSpec(
            "quality",
            "Quality",
            flags=(Flag("quality", aliases=("q",), note="; a model may not have them all"),),
            choices=_labelled(
                AUTO, "low", "medium", "high", "xhigh", "max", xhigh="Extra high", max="Maximum"
            ),
            argument="quality",
            newest=frozenset({"xhigh", "max"}),
            settable=frozenset({"standard", "hd"}),
        ),
        OptionSpec(
            "background",
            "Background",
            flags=(Flag("background", aliases=("bg",)),),
            choices=_labelled(AUTO, "transparent", "opaque"),
            switches=("transparent", "opaque"),
            told_last=True,
            argument="background",
        ),
        OptionSpec(
            "count",
            "Images",
            flags=(
                Flag(
                    "n",
                    aliases=("count",),
                    takes=f"1 to {MOST_CANDIDATES}",
                    note=": that many images to choose from",
                    parse=parse_count,
                ),
            ),
            choices={str(n): str(n) for n in range(1, MOST_CANDIDATES + 1)},
            words=lambda count: f"{count} image{'' if count == 1 else 's'}",
            example="--n 3",
        ),
    ]
)
"""All options. `limited_to` makes the table of the configured model."""


def options_of_model(model: str) -> OptionTable:
    """The options of a model of OpenAI's: it knows the finest qualities from 2.5 on."""
    found = _MODEL_VERSION.search(model)
    knows_all = found is not None and (int(found[1]), int(found[2] or 0)) >= (2, 5)
    return OPTIONS if knows_all else OPTIONS.of_older_models()
