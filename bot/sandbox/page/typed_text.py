"""From what a person typed to the text that Slack keeps: escaped, with mentions and links."""

import html
import re

from bot.sandbox.workspace.workspace import Workspace

_NAME = re.compile(r"(?<![\w/.])([@#])([\w-]+)")
_URL = re.compile(r"https?://[^\s<>|]+")
_EVERYONE = ("channel", "here", "everyone")


def as_sent(workspace: Workspace, typed: str) -> str:
    """The markup that a Slack client makes of a message."""

    def linked(match: re.Match[str]) -> str:
        return _named(workspace, match[1], match[2]) or match[0]

    escaped = html.escape(typed, quote=False)
    return _URL.sub(lambda match: f"<{match[0]}>", _NAME.sub(linked, escaped))


def _named(workspace: Workspace, sign: str, name: str) -> str | None:
    if sign == "#":
        found = [c for c in workspace.channels.values() if c.name == name and not c.is_im]
        return f"<#{found[0].id}|{name}>" if found else None
    if name in _EVERYONE:
        return f"<!{name}>"
    users = [user for user in workspace.users.values() if user.name == name.lower()]
    return f"<@{users[0].id}>" if users else None
