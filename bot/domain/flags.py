"""Reading `a fox on the moon --ar 16:9 --n 3`: the prompt, and the options behind the dashes.

An option is a dash pair, or the one long dash that phones and macOS make of it, at the beginning
of a word and right before a letter. A dash with a space behind it is punctuation. Of an option
that is given twice, the last one counts.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from bot.domain.errors import OptionRefused
from bot.domain.options import (
    BACKGROUNDS,
    QUALITIES,
    Options,
    background_of,
    count_of,
    quality_of,
    ratio_of,
    size_of,
)
from bot.domain.prompt import check_length

_FLAG = re.compile(r"(?<!\S)(?:-{2,3}|[\u2012-\u2015\u2212]-?)(?P<name>[A-Za-z][\w-]*)")
_QUOTES = "\"'“”„‘’«»"
_VALUE = re.compile(rf"[=:]?+\s*+(?P<value>[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]|\S+)")
_GLUED = re.compile(r"[=:](?P<value>\S+)")
_NO_GAP = ("\n", ",", ".", ";", ":", "!", "?", ")")

_NAMES = {
    "ar": "--ar",
    "aspect": "--ar",
    "ratio": "--ar",
    "size": "--size",
    "quality": "--quality",
    "q": "--quality",
    "background": "--background",
    "bg": "--background",
    "n": "--n",
    "count": "--n",
}
_ALONE = {"transparent": "transparent", "opaque": "opaque"}


class Parsed(NamedTuple):
    """What was typed, taken apart. The prompt is not checked yet."""

    prompt: str
    options: Options


def parse_flags(text: str, qualities: tuple[str, ...] = QUALITIES) -> Parsed:
    """Take the options out of a text. Raises `OptionRefused`, which holds the whole text, for an
    option that is unknown, lacks its value or cannot be, and `Refusal` for one that is too long."""
    check_length(text)
    options, kept, at = Options(), [], 0
    try:
        while flag := _FLAG.search(text, at):
            kept.append(text[at : flag.start()])
            options, at = _take(text, flag, options, qualities)
    except OptionRefused as refused:
        raise refused.typed(text) from None
    kept.append(text[at:])
    return Parsed(_joined(kept), options)


def _take(
    text: str, flag: re.Match[str], options: Options, qualities: tuple[str, ...]
) -> tuple[Options, int]:
    """The options with this one in them, and where the rest of the text begins."""
    name = flag["name"].lower()
    if name in _ALONE:
        if glued := _GLUED.match(text, flag.end()):
            raise OptionRefused("--background", glued["value"], allowed=BACKGROUNDS)
        return replace(options, background=_ALONE[name]), flag.end()
    if name not in _NAMES:
        raise OptionRefused(f"--{flag['name']}")
    value, end = _value(text, flag.end())
    return _with(options, _NAMES[name], value, qualities), end


def _value(text: str, at: int) -> tuple[str, int]:
    """The option's value, empty where another option or nothing follows."""
    word = _VALUE.match(text, at)
    if word is None or _FLAG.match(text, word.start("value")):
        return "", at
    return word["value"], word.end()


def _with(options: Options, option: str, value: str, qualities: tuple[str, ...]) -> Options:
    value = value.strip(_QUOTES)
    if not value:
        raise OptionRefused(option)
    match option:
        case "--ar":
            return replace(options, size=ratio_of(value))
        case "--size":
            return replace(options, size=size_of(value))
        case "--quality":
            return replace(options, quality=quality_of(value, qualities))
        case "--background":
            return replace(options, background=background_of(value))
        case _:
            return replace(options, count=count_of(value))


def _joined(parts: list[str]) -> str:
    """The prompt without its options, and without the gaps that they leave."""
    pieces = parts[:1]
    for part in parts[1:]:
        end, part = _trimmed_end(pieces), part.lstrip(" \t")
        if end == "\n" and part.startswith("\n"):
            part = part[1:]  # the option had a line to itself
        elif end and part and not (end == "\n" or part.startswith(_NO_GAP)):
            pieces.append(" ")
        pieces.append(part)
    return "".join(pieces)


def _trimmed_end(pieces: list[str]) -> str:
    """Take the blanks off the end; answers the last character that is left, if any."""
    while pieces:
        if last := pieces.pop().rstrip(" \t"):
            pieces.append(last)
            return last[-1]
    return ""
