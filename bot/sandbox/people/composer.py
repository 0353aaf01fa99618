"""What a client sends for what a person types: ids for names, short codes for emoji."""

import html
import re
from collections.abc import Callable
from typing import TypeVar

from bot.sandbox.workspace.members import Channel, Group, User
from bot.sandbox.workspace.workspace import Workspace

SHORT_CODES = {
    "🦊": "fox_face",
    "👋": "wave",
    "🙏": "pray",
    "👍": "+1",
    "🎉": "tada",
    "🚀": "rocket",
    "🌙": "crescent_moon",
    "❤️": "heart",
    "🙂": "slightly_smiling_face",
    "🐧": "penguin",
    "👩‍🚀": "female-astronaut",
    "🇬🇧": "gb",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": "flag-england",
}
T = TypeVar("T", User, Channel)

_TONES = "🏻🏼🏽🏾🏿"
_BROADCASTS = ("here", "channel", "everyone")

_EMOJI = "|".join(re.escape(emoji) for emoji in sorted(SHORT_CODES, key=len, reverse=True))
_TYPED = re.compile(
    rf"(?P<emoji>{_EMOJI})(?P<tone>[{_TONES}])?"
    r"|(?P<url>https?://[^\s<>|]+)"
    r"|(?P<mail>[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?<![\w@])@(?P<name>[\w.-]*\w)"
    r"|(?<![\w#])#(?P<channel>[\w-]+)"
)


def as_sent(workspace: Workspace, typed: str) -> str:
    """`@name` of a person, the bot or a group, `#channel`, `@here`, addresses and emoji become what
    Slack sends; everything else is escaped. Slack sends no names with the ids."""
    sent, at = [], 0
    for found in _TYPED.finditer(typed):
        sent += [html.escape(typed[at : found.start()], quote=False), _entity(workspace, found)]
        at = found.end()
    return "".join([*sent, html.escape(typed[at:], quote=False)])


def _entity(workspace: Workspace, found: re.Match[str]) -> str:
    if emoji := found["emoji"]:
        tone = f":skin-tone-{_TONES.index(found['tone']) + 2}:" if found["tone"] else ""
        return f":{SHORT_CODES[emoji]}:{tone}"
    if url := found["url"]:
        return f"<{html.escape(url, quote=False)}>"
    if mail := found["mail"]:
        return f"<mailto:{mail}|{mail}>"
    if channel := found["channel"]:
        place = _find(workspace.channel, channel)
        return f"<#{place.id}|>" if place else found[0]
    name = found["name"]
    if name in _BROADCASTS:
        return f"<!{name}>"
    if person := _find(workspace.user, name):
        return f"<@{person.id}>"
    group = _group(workspace, name)
    return f"<!subteam^{group.id}>" if group else html.escape(found[0], quote=False)


def _find(look: Callable[[str], T], name: str) -> T | None:
    try:
        return look(name)
    except KeyError:
        return None


def _group(workspace: Workspace, handle: str) -> Group | None:
    return next((group for group in workspace.groups.values() if group.handle == handle), None)
