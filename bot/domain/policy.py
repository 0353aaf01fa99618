"""Who may use the bot, and how the settings that say who may do what are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from bot.domain.session import Session

OWNER, ANYONE = "owner", "anyone"
_IDS_SYNTAX = "user IDs with commas between, such as U0123ABCD,W0456EFGH"
DIRECTORS_SYNTAX = f"owner, anyone, or {_IDS_SYNTAX}"

_USER_ID = re.compile(r"[UW](?=[A-Z]*[0-9])[A-Z0-9]{1,20}|[UW][A-Z]{8,20}", re.ASCII)
"""A short word without a digit is a name, not an ID."""
_NO_PERSON = "USLACKBOT"
_SPELLINGS = dict.fromkeys(
    ("owner", "owners", "the_owner", "only_owner", "me"), OWNER
) | dict.fromkeys(
    ("anyone", "any", "anybody", "everyone", "everybody", "every", "all", "*"), ANYONE
)
_LONGEST_NAME = 21
"""Characters. A longer entry is neither a name nor an ID, and may be a secret."""
_LONGEST_QUOTE = 60
"""Characters that are quoted."""


class WhoMayStart(StrEnum):
    """Who may use the bot at all: start a session, and decide about one."""

    TEAM = "team"
    FULL_MEMBERS = "full_members"
    ANYONE = "anyone"


_WHO_SPELLINGS = {word: word for word in WhoMayStart} | {
    "members": WhoMayStart.TEAM,
    "workspace": WhoMayStart.TEAM,
    "org": WhoMayStart.TEAM,
    "full": WhoMayStart.FULL_MEMBERS,
    "fullmembers": WhoMayStart.FULL_MEMBERS,
    "no_guests": WhoMayStart.FULL_MEMBERS,
    "everyone": WhoMayStart.ANYONE,
    "everybody": WhoMayStart.ANYONE,
    "anybody": WhoMayStart.ANYONE,
    "all": WhoMayStart.ANYONE,
    "*": WhoMayStart.ANYONE,
}


def parse_who_may_start(word: str) -> WhoMayStart:
    """Raises `ValueError`, whose text holds the right spelling."""
    if word in set(WhoMayStart):
        return WhoMayStart(word)
    right = closest_spelling(word, _WHO_SPELLINGS)
    mend = f"did you mean {right}?" if right else "it is team, full_members or anyone"
    raise ValueError(f"{quoted(word)} is not known; {mend}")


def is_user_id(text: str) -> bool:
    return bool(_USER_ID.fullmatch(text)) and text != _NO_PERSON


def entries_of(text: str) -> list[str]:
    """The entries between the commas, without the blanks around them."""
    return [entry.strip(" ") for entry in text.split(",")]


def directors_error(text: str) -> str:
    """The error in the setting's value, with the right spelling; "" where there is none."""
    given = entries_of(text)
    if given in ([OWNER], [ANYONE]) or all(is_user_id(entry) for entry in given):
        return ""
    return _error(text, _corrected, DIRECTORS_SYNTAX)


def user_ids_error(text: str) -> str:
    """The error in a value that takes user IDs alone; "" where there is none."""
    return "" if all(map(is_user_id, entries_of(text))) else _error(text, _as_id, _IDS_SYNTAX)


def _error(text: str, corrected: Callable[[str], str], syntax: str) -> str:
    entries = [entry for entry in re.split(r"[,;\s]+", text) if entry]
    right = [corrected(entry) for entry in entries]
    if not entries:
        return f"names nobody; it takes {syntax}"
    if unknown := [entry for entry, known in zip(entries, right, strict=True) if not known]:
        named = quoted(unknown[0]) if len(unknown[0]) <= _LONGEST_NAME else "an entry"
        return f"{named} is no user ID; it takes {syntax}"
    return f"{quoted(text)} is not known; did you mean {_joined(right)}?"


def _corrected(entry: str) -> str:
    """The right spelling of one entry, or "" where there is none."""
    word = _bare(entry)
    if is_user_id(word.removeprefix("@").upper()):
        return _as_id(entry)
    return "" if word.startswith("@") else closest_spelling(word, _SPELLINGS)


def _as_id(entry: str) -> str:
    """The user ID that an entry is meant for, or "" where it may be a name."""
    word = _bare(entry)
    as_id = word.removeprefix("@").upper()
    is_meant = word.isupper() or any(c.isdigit() for c in word)
    return as_id if is_user_id(as_id) and is_meant else ""


def _bare(entry: str) -> str:
    return entry.strip("<>\"'").partition("|")[0]


def _joined(right: list[str]) -> str:
    """The value made of corrected entries. `owner` is left out beside IDs, because the owner always
    may; `anyone` stands alone."""
    ids = ",".join(dict.fromkeys(word for word in right if word not in {OWNER, ANYONE}))
    narrow = ids or (OWNER if OWNER in right else "")
    return " or ".join(word for word in (narrow, ANYONE if ANYONE in right else "") if word)


def closest_spelling(word: str, spellings: Mapping[str, str]) -> str:
    """The word that a misspelling stands for, or "" where none is near. `spellings` maps
    other words for it, in lower case with `_` between words, to the right one."""
    plain = "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
    if plain in spellings:
        return spellings[plain]
    right = sorted({str(word) for word in spellings.values()})
    return next(iter(get_close_matches(plain, right, n=1, cutoff=0.75)), "")


def quoted(text: str) -> str:
    """The text on one line of a terminal, in quotes where it begins or ends with blanks."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    shown = shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]}…"
    return shown if shown == shown.strip() and shown else f'"{shown}"'


@dataclass(frozen=True)
class Person:
    """A user ID alone names somebody only within one organisation or workspace.

    `org` is the organisation, or the workspace where there is no organisation. The people of the
    installation have the same `org` in all of its workspaces."""

    org: str
    user: str

    def key_in(self, team: str) -> str:
        """The person's name in the keys of an installation: the user ID, with the organisation in
        front for people from outside."""
        return self.user if self.org == team else f"{self.org}-{self.user}"


def user_of_key(key: str) -> str:
    """The user ID in what `Person.key_in` answers."""
    return key.rpartition("-")[2]


@dataclass(frozen=True)
class Policy:
    """Who of the people who may use the bot may direct a session: move its stage by a click, a form
    or words. The owner always may; so may `others` (user IDs of the installation's own people), or
    everybody where `anyone` is set. `team` is the installation; the owner of a session without
    `owner_org` is one of its people."""

    anyone: bool = False
    others: frozenset[str] = frozenset()
    team: str = ""

    def allows(self, person: Person, session: Session) -> bool:
        team = self.team or session.team
        owner = Person(session.owner_org or team, session.user)
        named = person.org == team and person.user in self.others
        return self.anyone or person == owner or named

    @classmethod
    def parse(cls, text: str, team: str = "") -> Policy:
        """Read `owner`, `anyone`, or user IDs with commas between. Raises `ValueError`, whose text
        holds the right spelling."""
        if wrong := directors_error(text):
            raise ValueError(wrong)
        given = set(entries_of(text))
        others = frozenset(given - {OWNER, ANYONE})
        return cls(anyone=ANYONE in given, others=others, team=team)
