"""A message's text as its author read it: Slack's own notation taken out of it."""

from __future__ import annotations

import re

from bot.domain.prompt import check_length

_NOTATION = re.compile(r"<([^<>\s][^<>]*)>")
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
"""In this order: what was typed as `&lt;` stays that."""


def mention_text(text: str, bot_user: str) -> str:
    """The words without the bot's own name, with other names, channels and links as plain text.
    Raises `Refusal` for a text that is too long to be parsed."""
    check_length(text)
    own = rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>"
    text = re.sub(rf"^\s*+{own}[\s:,]*+", "", text)
    text = re.sub(rf"(?<!\s)\s*+{own}", "", text)
    text = _NOTATION.sub(lambda found: _plain(found[1]), text)
    for escaped, meant in _ESCAPED:
        text = text.replace(escaped, meant)
    return text.strip()


def _plain(notation: str) -> str:
    """`@U1`, `#C1|general`, `!here`, `!date^…|today` or `https://…|label`, as one reads it."""
    target, _, label = notation.partition("|")
    if target.startswith(("@", "#")):
        return target[0] + (label.removeprefix(target[0]) or target[1:])
    if target.startswith("!"):
        return label or "@" + target[1:].rpartition("^")[2]
    return label or target.removeprefix("mailto:")
