"""The words that a request adds to the person's own, which stay whole and as typed. And how the
person's words are taken out of an error that repeats them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.domain.images import ImageRequest
from bot.domain.prompt import MAX_PROMPT

LONGEST_WORDING = 1000
"""Characters of the wording of each image that was turned down."""
LONGEST_LIST = 12_000
"""Characters of all these wordings."""

_ECHO = 3
"""Words in a row of the person's own that count as a repetition."""
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


def change_prompt(request: ImageRequest) -> str:
    """The change alone, for a provider that has the earlier response."""
    return _within_limit(f"{_ONLY}\n\n{request.change}", request.change)


def change_prompt_with_history(request: ImageRequest) -> str:
    """The change, and how the image to edit came about, as far as there is room."""
    parts = [f"{_MADE_FROM}\n\n{request.prompt}"] if request.prompt else []
    if request.changes:
        parts.append("\n".join([_CHANGED_SINCE, "", *(f"- {one}" for one in request.changes)]))
    change = change_prompt(request)
    past = _cut("\n\n".join(parts), MAX_PROMPT - len(change) - 2)
    return f"{past}\n\n{change}" if past else change


def avoid_prompt(avoid: Iterable[str], room: int = LONGEST_LIST) -> str:
    """A request to avoid these wordings: the latest of them where there is no room for all, and an
    empty string where there is no room."""
    room = min(room, LONGEST_LIST) - len(_TURNED_DOWN) - len(_DIFFERENT) - 4
    lines: list[str] = []
    for wording in reversed([" ".join(one.split()) for one in avoid if one.strip()]):
        line = "- " + _cut(wording, LONGEST_WORDING)
        room -= len(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    return "\n".join([_TURNED_DOWN, "", *lines, "", _DIFFERENT]) if lines else ""


def single_prompt(request: ImageRequest) -> str:
    """Everything in one prompt, for the Images API."""
    text = change_prompt_with_history(request) if request.base else request.prompt
    different = avoid_prompt(request.avoid, MAX_PROMPT - len(text) - 2)
    return f"{text}\n\n{different}" if different else text


def _within_limit(text: str, shorter: str) -> str:
    return text if len(text) <= MAX_PROMPT else shorter


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return text[: room - 1].rstrip() + "…" if room > 1 else ""


def own_words(request: ImageRequest) -> tuple[str, ...]:
    """All texts that people wrote for this request."""
    return (request.prompt, request.change, *request.changes, *request.avoid)


def without_own_words(text: str, own: Iterable[str]) -> str:
    """The text in lower case, without the parts that repeat one of the `own` texts."""
    text = text.lower()
    for one in own:
        text = _without_one(text, _WORD.findall(one.lower()))
    return text


def _without_one(text: str, own: list[str]) -> str:
    """A single word may be a parameter's name as well, so it counts only where the text mentions
    the prompt."""
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
