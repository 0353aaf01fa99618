"""What a word of a setting was meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

_LONGEST = 60
"""Characters that are quoted."""


def meant(word: str, spellings: Mapping[str, str]) -> str:
    """The right word for one that is written otherwise, or "" where none is near. `spellings` maps
    other words for it, in lower case with `_` between words, to the right one."""
    plain = "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
    if plain in spellings:
        return spellings[plain]
    right = sorted({str(word) for word in spellings.values()})
    return next(iter(get_close_matches(plain, right, n=1, cutoff=0.75)), "")


def quoted(text: str) -> str:
    """Fit for one line of a terminal, where one sees the blanks at its ends."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    return shown if shown == shown.strip() and shown else f'"{shown}"'
