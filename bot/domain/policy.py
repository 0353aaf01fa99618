"""Who may use the bot, and how the settings that say who may do what are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum

OWNER, ANYONE = "owner", "anyone"
FORMS = "owner, anyone, or user IDs with commas between, such as U0123ABCD,W0456EFGH"

_USER_ID = re.compile(r"[UW](?=[A-Z]*[0-9])[A-Z0-9]{1,20}|[UW][A-Z]{8,20}", re.ASCII)
"""A short one without a digit is somebody's name."""
_NO_PERSON = "USLACKBOT"
_SPELLINGS = dict.fromkeys(
    ("owner", "owners", "the_owner", "only_owner", "me"), OWNER
) | dict.fromkeys(
    ("anyone", "any", "anybody", "everyone", "everybody", "every", "all", "*"), ANYONE
)
_LONGEST_NAME = 21
"""Characters. What is longer is neither a name nor an ID, and may be a secret."""
_LONGEST_QUOTE = 60
"""Characters that are quoted."""


class WhoMayStart(StrEnum):
    """Who may use the bot at all: start a session, and decide about one."""

    TEAM = "team"
    FULL_MEMBERS = "full_members"
    ANYONE = "anyone"


def is_user_id(text: str) -> bool:
    return bool(_USER_ID.fullmatch(text)) and text != _NO_PERSON


def entries_of(text: str) -> list[str]:
    """What stands between the commas, without the blanks around it."""
    return [entry.strip(" ") for entry in text.split(",")]


def wrong_directors(text: str) -> str:
    """What is wrong with the setting's value, with the right spelling; "" where nothing is."""
    given = entries_of(text)
    if given in ([OWNER], [ANYONE]) or all(is_user_id(entry) for entry in given):
        return ""
    entries = [entry for entry in re.split(r"[,;\s]+", text) if entry]
    right = [_right(entry) for entry in entries]
    if not entries:
        return f"names nobody; it takes {FORMS}"
    if unknown := [entry for entry, known in zip(entries, right, strict=True) if not known]:
        named = quoted(unknown[0]) if len(unknown[0]) <= _LONGEST_NAME else "an entry"
        return f"{named} is no user ID; it takes {FORMS}"
    return f"{quoted(text)} is not known; did you mean {_together(right)}?"


def _right(entry: str) -> str:
    """One entry as it is to be written, or "" where that cannot be told."""
    word = entry.strip("<>\"'").partition("|")[0]
    as_id = word.removeprefix("@").upper()
    if is_user_id(as_id):
        return as_id if word.isupper() or any(c.isdigit() for c in word) else ""
    return "" if word.startswith("@") else meant(word, _SPELLINGS)


def _together(right: list[str]) -> str:
    """The owner always may, and `anyone` stands alone."""
    ids = ",".join(dict.fromkeys(word for word in right if word not in {OWNER, ANYONE}))
    narrow = ids or (OWNER if OWNER in right else "")
    return " or ".join(word for word in (narrow, ANYONE if ANYONE in right else "") if word)


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
    shown = shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]}…"
    return shown if shown == shown.strip() and shown else f'"{shown}"'
