"""An option that no code knows: what works for it works for every option."""

from __future__ import annotations

from bot.domain.options import Flag, Options, OptionSpec, Value

NAME = "pretend-2"

PRETEND = OptionSpec(
    NAME,
    "Pretence",
    flags=(Flag("pretend", aliases=("make-believe",), note=", as in a play"),),
    choices={"auto": "Auto", "low": "A little", "high": "A lot"},
    argument="moderation",
)
"""Its argument is one that OpenAI's APIs know; its name has all that a name may have."""


def pretended(value: Value, **others: Value) -> Options:
    return Options(**{NAME: value, **others})
