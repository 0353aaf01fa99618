"""The search for a message that may have been posted: the answer to the post was lost.

A message is known by the `block_id` of its first block, which is opaque and unique to it. Reading
the place takes `channels:history`, `groups:history`, `im:history` or `mpim:history`; without them
nothing is found, and the message may come twice after a lost answer.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackRefused

log = logging.getLogger(__name__)

FoundMessage = dict[str, Any]
"""A message as Slack has it."""

_PAGE = 200
"""Messages; Slack recommends no more, and gives some apps 15."""
_PAGES = 5
"""Pages from either side."""
_RECENT = 660.0
"""Seconds by our clock, from which Slack's may be five minutes away: where there is more than these
pages, the newest messages are looked at as well."""


async def find_messages(
    client: AsyncWebClient, channel: str, marker: str, *, thread_ts: str, since: float
) -> list[FoundMessage]:
    """The messages with this marker, as Slack has them; those on one page are enough.

    Looks through the thread, or without `thread_ts` through the channel, at what was posted after
    `since`: the time when the post was tried first. A later try may have posted it as well, so a
    place that holds more than `_PAGES` pages since then is looked through from its newest side,
    too. Raises `SlackUnavailable` while Slack cannot say.
    """
    search = _Search(client, channel, marker, thread_ts)
    try:
        found, complete = await search.after(since)
        if found or complete:
            return found
        recent = max(since, time.time() - _RECENT)
        found, _ = await search.after(recent, latest=time.time() + _RECENT)
    except SlackRefused as error:
        log.warning("cannot look for a message that may have been posted: %s", error.code)
        return []
    return found


@dataclass(frozen=True)
class _Search:
    client: AsyncWebClient
    channel: str
    marker: str
    thread_ts: str

    async def after(
        self, oldest: float, latest: float | None = None
    ) -> tuple[list[FoundMessage], bool]:
        """What was found, and whether all was looked at. A channel is read from `latest` backwards,
        and without one from `oldest` on; a thread always from `oldest` on."""
        where: dict[str, Any] = {"channel": self.channel, "limit": _PAGE}
        where |= {"ts": self.thread_ts} if self.thread_ts else {}
        where["oldest"] = f"{oldest:.6f}"
        where |= {} if latest is None else {"latest": f"{latest:.6f}"}
        in_thread, client = bool(self.thread_ts), self.client
        method = client.conversations_replies if in_thread else client.conversations_history
        for _ in range(_PAGES):
            page = await call(method, **where)
            if marked := [m for m in _messages_in(page) if _is_marked(m, self.marker)]:
                return marked, True
            where["cursor"] = _cursor_in(page)
            if not where["cursor"]:
                return [], True
        return [], False


def _messages_in(page: dict[str, Any]) -> list[FoundMessage]:
    messages = page.get("messages")
    listed = messages if isinstance(messages, list) else []
    return [message for message in listed if isinstance(message, dict)]


def _cursor_in(page: dict[str, Any]) -> str:
    metadata = page.get("response_metadata")
    cursor = metadata.get("next_cursor") if isinstance(metadata, dict) else ""
    return cursor if isinstance(cursor, str) else ""


def _is_marked(message: FoundMessage, marker: str) -> bool:
    blocks = message.get("blocks")
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    marked = isinstance(first, dict) and first.get("block_id") == marker
    return marked and isinstance(message.get("ts"), str)
