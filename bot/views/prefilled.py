"""The button that opens the form of a new session with a prompt and options in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options, OptionTable
from bot.domain.prompt import OptionsRefused
from bot.domain.refusals import OptionRefused, Reason, Refusal
from bot.views import blocks, ids
from bot.views.blocks import SECTION_TEXT, VALUE, Block, Message, cut, escape, utf16_length
from bot.views.help_words import options_refusal_words
from bot.views.refusal_words import refusal_words


class Prefilled(NamedTuple):
    """`channel` is where the session is to be; empty for where the button is."""

    prompt: str = ""
    options: Options = NO_OPTIONS
    channel: str = ""

    def __str__(self) -> str:
        """For the value of a button."""
        kept = {"p": self.prompt, "o": dict(self.options.chosen), "c": self.channel}
        return json.dumps({key: each for key, each in kept.items() if each}, ensure_ascii=False)


def form_button(label: str, prefilled: Prefilled, *, primary: bool = False) -> Block:
    return blocks.button(label, ids.OPEN_FORM, str(prefilled), primary=primary)


def prefilled_of(value: str | None, table: OptionTable = OPTIONS) -> Prefilled:
    """What a button's value holds; options that are not on offer any more are left out. Raises
    `Refusal` for a value that is not ours."""
    try:
        kept = json.loads(value or "")
        options = options_of(kept.get("o", {}), table)
        return Prefilled(str(kept.get("p", "")), options, str(kept.get("c", "")))
    except (ValueError, AttributeError, RecursionError, OptionRefused):
        raise Refusal(Reason.EXPIRED) from None


def options_of(kept: Mapping[str, Any], table: OptionTable) -> Options:
    """The options in a button's value that are still on offer. Raises `OptionRefused`, and
    `AttributeError` for a value that is not ours."""
    chosen = {spec.name: kept.get(spec.name) or "" for spec in table}
    return Options(**{n: table[n].parse(str(each)) for n, each in chosen.items() if each})


def correction_message(refusal: OptionsRefused, *, command: bool) -> Message | None:
    """What is wrong, with a button that opens the form with all that was right. None where that
    does not fit into a button."""
    right = Prefilled(refusal.right.prompt.strip(), refusal.right.options)
    if utf16_length(str(right)) > VALUE:
        return None
    words = refusal_words(refusal, command=command)
    shown = words if len(words) <= SECTION_TEXT else escape(options_refusal_words(refusal))
    button = form_button(ids.BUTTON_LABELS[ids.OPEN_FORM], right, primary=True)
    return Message(words, [blocks.section(cut(shown, SECTION_TEXT)), blocks.actions(button)])
