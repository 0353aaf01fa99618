"""Finds the mentions and links that Slack makes of the markup in a text."""

import re
from collections.abc import Iterator
from typing import Any

_MARKUP = re.compile(r"<([@#!][^<>\s][^<>]*|[a-z][a-z0-9+.-]*:[^<>\s|]+(?:\|[^<>]*)?)>", re.I)
_MARKDOWN_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_NAMED = re.compile(r"(?<![\w<!])@(channel|here|everyone)\b")
BROADCASTS = ("!channel", "!here", "!everyone", "!group", "!subteam")


def texts(node: Any, kinds: tuple[str, ...] = ("mrkdwn",)) -> Iterator[str]:
    """The texts of every text object of these kinds anywhere inside blocks."""
    if isinstance(node, dict):
        if node.get("type") in kinds and isinstance(node.get("text"), str):
            yield node["text"]
        for value in node.values():
            yield from texts(value, kinds)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value, kinds)


def pings_in_text(text: str, names_too: bool = False) -> list[str]:
    """The markup in an mrkdwn text that Slack would render: `<!here>`, `<@U1>`, `<https://x|y>`.

    `names_too` adds bare `@here`, which Slack links when asked to by `link_names` or `parse`.
    """
    found = [match.group(0) for match in _MARKUP.finditer(text)]
    return found + ([match.group(0) for match in _NAMED.finditer(text)] if names_too else [])


def pings_in_blocks(blocks: list[dict[str, Any]]) -> list[str]:
    found = [ping for text in texts(blocks) for ping in pings_in_text(text)]
    for text in texts(blocks, ("markdown",)):
        found += pings_in_text(text) + _MARKDOWN_LINK.findall(text)
    return found + list(_rich_pings([b for b in blocks if b.get("type") == "rich_text"]))


def _rich_pings(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for value in node:
            yield from _rich_pings(value)
    elif isinstance(node, dict):
        match node.get("type"):
            case "broadcast":
                yield f"<!{node.get('range')}>"
            case "user":
                yield f"<@{node.get('user_id')}>"
            case "usergroup":
                yield f"<!subteam^{node.get('usergroup_id')}>"
            case "channel":
                yield f"<#{node.get('channel_id')}>"
            case "link":
                yield f"<{node.get('url')}>"
        yield from _rich_pings(node.get("elements", []))


def is_broadcast(ping: str) -> bool:
    """Whether it would notify a whole channel or group."""
    return ping.lstrip("<").startswith(BROADCASTS) or ping.startswith("@")
