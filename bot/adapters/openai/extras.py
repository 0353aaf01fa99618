"""The extras of a request: the settings that no person asked for. A server may refuse them.

One table holds each extra, how a refusal may name it, and what the call asks for instead. The
options that a person chose (`bot.domain.options`) are not in it: their refusal is shown to the
person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple


class OptionalParameter(Enum):
    """A message that names several extras is about the first of them in this order: unusual names
    come before everyday words."""

    SAFETY_IDENTIFIER = auto()
    OUTPUT_FORMAT = auto()
    RESPONSE_FORMAT = auto()
    TOOL_CHOICE = auto()
    ANY_TOOL_CHOICE = auto()
    NO_PARTIALS = auto()
    PARTIALS = auto()
    INSTRUCTIONS = auto()
    BACKGROUND = auto()
    STORE = auto()
    QUALITY = auto()
    SIZE = auto()
    ACTION = auto()
    STREAM = auto()
    DETAIL = auto()
    TOOL_MODEL = auto()


class RefusalPattern(NamedTuple):
    """How an extra is named. `parameters`: its names in a request; `in_tool`: they belong to the
    image tool, where `only_in_tool` others have the same names. `words`: what messages call it.
    `instead`: what the call asks for without it. `unless`: a refusal with these words is not about
    it; `only`: nor is one without these. `values`: the values that a message lists in quotes where
    its value is refused. `words`, `unless`, `only` and `values` are regular expressions."""

    parameters: tuple[str, ...]
    words: str
    instead: str
    in_tool: bool = False
    only_in_tool: bool = False
    unless: str = ""
    only: str = ""
    values: str = ""


_NOT_AT_ALL = (
    r"un(?:known|recogni[sz]ed|expected|supported)|additional propert|no such"
    r"|extra (?:inputs|fields)"
    r"|n[o']t (?:be )?(?:supported|permitted|allowed|recogni[sz]ed|known|defined|implemented)"
    r"|does(?: not|n't) (?:support|accept|allow|take)"
)
REFUSAL_PATTERNS: Mapping[OptionalParameter, RefusalPattern] = {
    OptionalParameter.SAFETY_IDENTIFIER: RefusalPattern(
        ("safety_identifier",), r"safety[ _-]?identifiers?", "the person has no name there"
    ),
    OptionalParameter.OUTPUT_FORMAT: RefusalPattern(
        ("output_format",),
        r"output[ _-]?formats?",
        "the server's own format",
        in_tool=True,
        values=r"png|jpe?g|webp",
    ),
    OptionalParameter.RESPONSE_FORMAT: RefusalPattern(
        ("response_format",), r"response[ _-]?formats?|b64_json", "an address, which is fetched"
    ),
    OptionalParameter.TOOL_CHOICE: RefusalPattern(
        ("tool_choice",), r"tool[ _-]?choices?", "any tool is required"
    ),
    OptionalParameter.ANY_TOOL_CHOICE: RefusalPattern(
        ("tool_choice",), r"tool[ _-]?choices?", "the host model decides"
    ),
    OptionalParameter.NO_PARTIALS: RefusalPattern(
        ("partial_images",),
        r"partial[ _-]?images?",
        "one partial image, which is not shown",
        in_tool=True,
        unless=_NOT_AT_ALL,
    ),
    OptionalParameter.PARTIALS: RefusalPattern(
        ("partial_images",), r"partial[ _-]?images?", "no partial images", in_tool=True
    ),
    OptionalParameter.INSTRUCTIONS: RefusalPattern(
        ("instructions",), r"instructions?", "they are a part of the prompt"
    ),
    OptionalParameter.BACKGROUND: RefusalPattern(
        ("background", "store"), r"background|stor(?:e|ed|ing|age)", "a plain call"
    ),
    OptionalParameter.STORE: RefusalPattern(
        ("store",), r"stor(?:e|ed|ing|age)", "it is asked to store nothing"
    ),
    OptionalParameter.QUALITY: RefusalPattern(
        ("quality",),
        r"quality",
        "the server's own",
        in_tool=True,
        values=r"standard|hd|low|medium|high",
    ),
    OptionalParameter.SIZE: RefusalPattern(
        ("size",),
        r"size|dimensions?|resolution|megapixels?|width|height|aspect[ _-]?ratio",
        "the server's own",
        in_tool=True,
        values=r"\d{3,4} ?[x×] ?\d{3,4}",
    ),
    OptionalParameter.ACTION: RefusalPattern(
        ("action",), r"action", "the host model decides", in_tool=True
    ),
    OptionalParameter.STREAM: RefusalPattern(
        ("stream", "stream_options"), r"stream(?:ing|ed|s|[ _-]options)?", "the answer in one piece"
    ),
    OptionalParameter.DETAIL: RefusalPattern(
        ("detail",), r"(?:image[ _-])?detail", "the server's own"
    ),
    OptionalParameter.TOOL_MODEL: RefusalPattern(
        ("model",),
        r"tools?\[?\.?\d*\]?\.model",
        "the server's own, which may cost something else",
        in_tool=True,
        only_in_tool=True,
        only=_NOT_AT_ALL,
    ),
}

DEPENDS_ON_CHOICE = frozenset(
    {OptionalParameter.QUALITY, OptionalParameter.SIZE, OptionalParameter.OUTPUT_FORMAT}
)
"""Extras that may have been refused because of an option that one person chose. Requests of others
still hold them."""

Asked = Mapping[OptionalParameter, str]
"""The extras that a request holds, with the value of each where a refusal may quote it."""


def names(extra: OptionalParameter, path: str) -> bool:
    """Whether a path such as `tools[0].action` names the extra. `tools[0].background` is a person's
    option and not the background mode."""
    steps = re.split(r"[^a-z_]+", path)
    refusal_pattern = REFUSAL_PATTERNS[extra]
    if not set(refusal_pattern.parameters) & set(steps):
        return False
    of_tool = bool({"tool", "tools"} & set(steps))
    return refusal_pattern.in_tool if of_tool else not refusal_pattern.only_in_tool


def words_for(argument: str) -> str:
    """A regular expression for what messages call an argument of the API."""
    refusal_pattern = next(
        (each for each in REFUSAL_PATTERNS.values() if argument in each.parameters), None
    )
    return (
        refusal_pattern.words
        if refusal_pattern
        else "[ _-]?".join(map(re.escape, argument.split("_")))
    )
