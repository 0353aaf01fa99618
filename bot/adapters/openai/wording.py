"""What the provider is told in words besides the person's own, which stay whole and as typed; and
the person's own words in what it answers, which are none of its."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.domain.images import ImageRequest
from bot.domain.prompt import MAX_PROMPT

LONGEST_WORDING = 1000
"""Characters of each image that was turned down."""
LONGEST_LIST = 12_000
"""Characters of all of them."""

_ECHO = 3
"""As many words in a row that are the person's too are an echo of theirs."""
_WORD = re.compile(r"\w+")
_QUOTES_PROMPT = re.compile(r"\b(?:prompt|input|text)\b")

_ONLY = "Change only this about the image, and leave everything else in it exactly as it is:"
_MADE_FROM = "The image was made from this description:"
_CHANGED_SINCE = "Since then this was changed about it, and stays so:"
_TURNED_DOWN = "Earlier images for this were turned down. They were described like this:"
_DIFFERENT = (
    "Keep to what is asked for, but make something clearly different from those: "
    "another composition, point of view, light and mood."
)


def change_of(request: ImageRequest) -> str:
    """The change, for a provider that remembers all else."""
    return _within_limit(f"{_ONLY}\n\n{request.change}", request.change)


def change_and_past(request: ImageRequest) -> str:
    """The change, and what led to the image that it is about, as far as there is room."""
    parts = [f"{_MADE_FROM}\n\n{request.prompt}"] if request.prompt else []
    if request.changes:
        parts.append("\n".join([_CHANGED_SINCE, "", *(f"- {one}" for one in request.changes)]))
    change = change_of(request)
    past = _cut("\n\n".join(parts), MAX_PROMPT - len(change) - 2)
    return f"{past}\n\n{change}" if past else change


def something_different(avoid: Iterable[str], room: int = LONGEST_LIST) -> str:
    """A request to stay clear of these; the latest of them where there is no room for all, and
    nothing where there is none."""
    room = min(room, LONGEST_LIST) - len(_TURNED_DOWN) - len(_DIFFERENT) - 4
    lines: list[str] = []
    for wording in reversed([" ".join(one.split()) for one in avoid if one.strip()]):
        line = "- " + _cut(wording, LONGEST_WORDING)
        room -= len(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    return "\n".join([_TURNED_DOWN, "", *lines, "", _DIFFERENT]) if lines else ""


def all_in_one(request: ImageRequest) -> str:
    """Everything in one prompt, for an API that has no other place for it."""
    text = change_and_past(request) if request.base else request.prompt
    different = something_different(request.avoid, MAX_PROMPT - len(text) - 2)
    return f"{text}\n\n{different}" if different else text


def _within_limit(text: str, shorter: str) -> str:
    return text if len(text) <= MAX_PROMPT else shorter


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return text[: room - 1].rstrip() + "…" if room > 1 else ""


def own_words(request: ImageRequest) -> tuple[str, ...]:
    """What people wrote for this request."""
    return (request.prompt, request.change, *request.changes, *request.avoid)


def without_own_words(text: str, own: Iterable[str]) -> str:
    """The text, in lower case, without what it repeats of these."""
    text = text.lower()
    for one in own:
        text = _without_one(text, _WORD.findall(one.lower()))
    return text


def _without_one(text: str, own: list[str]) -> str:
    """A single word may be a parameter's name as well, so it counts where the prompt is spoken
    of."""
    length = min(_ECHO, len(own))
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
