"""Slack's notation in a message, in words: `<@U1>`, `<#C1|general>`, `<!here>`, `<https://…|label>`.

    <@U1>                      Bob, or someone          <@U1|bob>            bob
    <#C1>                      #general, or a channel   <#C1|general>        #general
    <!subteam^S1>              Artists, or a group      <!subteam^S1|@art>   art
    <!here> <!channel>         everyone here, everyone in the channel
    <!date^1767225600^{date}|1 January>                 1 January
    <https://x.org|a link>     a link                   <mailto:a@x.org>     a@x.org

Slack sends ids without names, so those are looked up (`bot.slack.display_names`). An id never gets
into a prompt. `&`, `<` and `>` come escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.invisible import clean_text

MOST_NAME = 80
"""Characters of a name; Slack's own limit for display names."""

_NOTATION = re.compile(r"<([^<>\s][^<>]*)>")
_ESCAPED = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("&(?:lt|gt|amp);")
_BROADCASTS = {
    "here": "everyone here",
    "channel": "everyone in the channel",
    "group": "everyone in the channel",
    "everyone": "everyone",
}
_OPTION = re.compile("-{2,}|[\u2012-\u2015\u2212]-?")
_SCHEME = re.compile("(?:mailto|tel):", re.IGNORECASE)
_DATE_TOKEN = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class References:
    """The ids in a text that come without a name, in their order."""

    users: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Names:
    """The names that are known, by id."""

    users: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        return bool(self.users or self.channels or self.groups)


def references(text: str) -> References:
    """Whose names the text needs."""
    users: dict[str, None] = {}
    channels: dict[str, None] = {}
    groups: dict[str, None] = {}
    for found in _NOTATION.finditer(text):
        target, _, label = found[1].partition("|")
        if label:
            continue
        if target.startswith("@"):
            users[target[1:]] = None
        elif target.startswith("#"):
            channels[target[1:]] = None
        elif target.startswith("!subteam^"):
            groups[target.removeprefix("!subteam^")] = None
    return References(tuple(users), tuple(channels), tuple(groups))


NO_NAMES = Names()


def in_words(text: str, names: Names = NO_NAMES) -> str:
    """The text as one reads it."""
    text = _NOTATION.sub(lambda found: _words(found[1], names), text)
    return _ENTITY.sub(lambda found: _ESCAPED[found[0]], text).strip()


def clean_name(name: str) -> str:
    """A name as data in a prompt: one line, with nothing invisible, and no option in it."""
    line = " ".join(clean_text(name).split())
    return _OPTION.sub("-", line)[:MOST_NAME].strip()


def _words(notation: str, names: Names) -> str:
    target, _, label = notation.partition("|")
    kind, ident = target[0], target[1:]
    if kind == "@":
        return clean_name(label.removeprefix("@")) or names.users.get(ident) or "someone"
    if kind == "#":
        name = clean_name(label.removeprefix("#")) or names.channels.get(ident)
        return f"#{name}" if name else "a channel"
    if kind == "!":
        return _special(ident, label, names)
    return label or _SCHEME.sub("", target, count=1)


def _special(ident: str, label: str, names: Names) -> str:
    what, _, rest = ident.partition("^")
    if what == "subteam":
        return clean_name(label.removeprefix("@")) or names.groups.get(rest) or "a group"
    if what == "date":
        return label or _date(rest)
    return _BROADCASTS.get(what) or label or what


def _date(told: str) -> str:
    """A date without the words that Slack asks for: seconds since the epoch, and a form."""
    seconds, _, form = told.partition("^")
    try:
        at = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return "a date"
    day, time = f"{at:%B} {at.day}, {at.year}", f"{at:%H:%M} UTC"
    form = form.partition("^")[0]  # a link may follow
    return _DATE_TOKEN.sub(lambda each: time if "time" in each[1] else day, form) or day
