"""An option that no code knows: what works for it works for every option."""

from __future__ import annotations

from bot.domain.options import Flag, OptionSpec

PRETEND = OptionSpec(
    "pretend",
    "Pretence",
    flags=(Flag("pretend", aliases=("make-believe",), note=", as in a play"),),
    choices={"auto": "Auto", "low": "A little", "high": "A lot"},
    argument="moderation",
)
"""Its argument is one that OpenAI's APIs know."""
