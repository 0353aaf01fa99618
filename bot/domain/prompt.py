"""Parsing of a person's text: `a fox on the moon --ar 16:9 --n 3` is a prompt, and options behind
dashes.

An option is a dash pair, or the one long dash that phones and macOS make of it, at the beginning
of a word and right before a letter. A dash with a space behind it is punctuation. Of an option
that is given twice, the last one counts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.domain.invisible import clean_text, drop_invisible, is_blank
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options, OptionTable
from bot.domain.refusals import OptionRefused, Reason, Refusal

MAX_PROMPT = 32_000
"""Characters; the limit that OpenAI documents for an image prompt."""
MAX_TYPED = 40_000
"""Characters; what Slack lets a message hold, escaped: a prompt of `MAX_PROMPT` and its options."""

_FLAG = re.compile(r"(?<!\S)(?:-{2,3}|[\u2012-\u2015\u2212]-?)(?P<name>[A-Za-z][\w-]*)")
_QUOTES = "\"'“”„‘’«»"
_VALUE = re.compile(rf"[=:]?+\s*+(?P<value>[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]|\S+)")
_GLUED = re.compile(r"[=:](?P<value>\S+)")
_NO_GAP = ("\n", ",", ".", ";", ":", "!", "?", ")")


def check_length(text: str) -> str:
    """The text, if it is short enough to be parsed at all. Raises `Refusal(PROMPT_TOO_LONG)`."""
    if len(text) > MAX_TYPED:
        raise Refusal(Reason.PROMPT_TOO_LONG)
    return text


def clean_prompt(text: str) -> str:
    """Normalise newlines, and drop control characters, invisible characters and outer white space.
    Raises `Refusal` for an empty or an over-long prompt.
    """
    prompt = clean_text(check_length(text)).strip()
    if is_blank(prompt):
        raise Refusal(Reason.EMPTY_PROMPT)
    if len(prompt) > MAX_PROMPT:
        raise Refusal(Reason.PROMPT_TOO_LONG)
    return prompt


def clean_change(text: str) -> str:
    """Clean a change to an image like a prompt. Raises `Refusal`."""
    try:
        return clean_prompt(text)
    except Refusal as refusal:
        if refusal.reason is Reason.EMPTY_PROMPT:
            raise Refusal(Reason.EMPTY_CHANGE) from None
        raise


class ParsedText(NamedTuple):
    """A parsed text. The prompt is not checked yet."""

    prompt: str
    options: Options


class OptionsRefused(Refusal):
    """All options of a `text` that cannot be, in their order; `right` is what is left of it."""

    def __init__(self, refused: tuple[OptionRefused, ...], text: str, right: ParsedText) -> None:
        super().__init__(Reason.BAD_OPTION)
        self.refused = refused
        self.text = text
        self.right = right


def parse_flags(text: str, table: OptionTable = OPTIONS) -> ParsedText:
    """Take the options out of a text. Raises `OptionsRefused` for options that are unknown, lack
    their value or cannot be, and `Refusal` for a text that is too long."""
    text = drop_invisible(check_length(text))
    options, kept, refused, at = Options(), list[str](), list[OptionRefused](), 0
    while flag := _FLAG.search(text, at):
        kept.append(text[at : flag.start()])
        try:
            options, at = _take(text, flag, options, table)
        except OptionRefused as wrong:
            refused.append(wrong)
            at = _end(text, flag, table)
    kept.append(text[at:])
    parsed = ParsedText(_joined(kept), options)
    if refused:
        raise OptionsRefused(tuple(refused), text, parsed)
    return parsed


def _take(
    text: str, typed: re.Match[str], options: Options, table: OptionTable
) -> tuple[Options, int]:
    """The options with this one in them, and where the rest of the text begins."""
    name = typed["name"].lower()
    if spec := table.switch(name):
        if glued := _GLUED.match(text, typed.end()):
            raise OptionRefused(str(spec.flags[-1]), glued["value"], allowed=tuple(spec.choices))
        return options.replace(**{spec.name: spec.parse(name)}), typed.end()
    found = table.flag(name)
    if found is None:
        raise OptionRefused(f"--{typed['name']}")
    (spec, flag), (value, end) = found, _value(text, typed.end())
    if not value:
        raise OptionRefused(str(flag))
    return options.replace(**{spec.name: spec.parse(value, flag)}), end


def _end(text: str, typed: re.Match[str], table: OptionTable) -> int:
    """Where a refused option ends. What follows an unknown one may be of the prompt."""
    if table.flag(typed["name"].lower()):
        return _value(text, typed.end())[1]
    glued = _GLUED.match(text, typed.end())
    return glued.end() if glued else typed.end()


def _value(text: str, at: int) -> tuple[str, int]:
    """The option's value, empty where another option or nothing follows."""
    word = _VALUE.match(text, at)
    if word is None or _FLAG.match(text, word.start("value")):
        return "", at
    return word["value"].strip(_QUOTES), word.end()


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
