"""A person's own words in what a server says: they are none of the server's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.domain.images import ImageRequest

_RUN = 3
"""As many words in a row that are the person's too are an echo of theirs."""
_WORD = re.compile(r"\w+")
_QUOTES_PROMPT = re.compile(r"\b(?:prompt|input|text)\b")


def words_of(request: ImageRequest) -> tuple[str, ...]:
    """What people wrote for it."""
    return (request.prompt, request.change, *request.changes, *request.avoid)


def without_echo(text: str, own: Iterable[str]) -> str:
    """The text, in lower case, without what it repeats of these."""
    text = text.lower()
    for one in own:
        text = _without(text, _WORD.findall(one.lower()))
    return text


def _without(text: str, own: list[str]) -> str:
    """A single word may be a parameter's name as well, so it counts where the prompt is spoken
    of."""
    length = min(_RUN, len(own))
    if length == 0 or (length == 1 and not _QUOTES_PROMPT.search(text)):
        return text
    runs = {tuple(own[at : at + length]) for at in range(len(own) - length + 1)}
    found = list(_WORD.finditer(text))
    words = [match.group() for match in found]
    kept, end = [], 0
    for at in range(len(words) - length + 1):
        if tuple(words[at : at + length]) in runs:
            start = max(end, found[at].start())
            kept.append(text[end:start])
            end = found[at + length - 1].end()
    return " ".join([*kept, text[end:]])
