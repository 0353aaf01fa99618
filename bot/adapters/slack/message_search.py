"""Finds a message that may have been posted, because the answer to the post was lost; removes one.

A message is known by the `block_id` of its first block, which is opaque and unique to it. Reading
the place takes `channels:history`, `groups:history`, `im:history` or `mpim:history`; without them
nothing is found, and the message may come twice after a lost answer.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import PATIENCE, call, with_retries
from bot.domain.errors import SlackAppBlocked, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.views.blocks import Message

log = logging.getLogger(__name__)

FoundMessage = dict[str, Any]
"""A message as Slack has it."""

LOOK_FOR = 60.0
"""Seconds for Slack to say whether a message was posted. A bot that is cut off from Slack, or has
only dead connections left, does not post again without having looked."""
CLOCKS_APART = 330.0
"""Seconds that Slack's clock may be behind ours: a little more than its signed requests allow."""
_PAGE = 200
"""Messages; Slack recommends no more, and gives some apps 15."""
_PAGES = 5
"""Pages from either side."""
_RECENT = 660.0
"""Seconds by our clock, from which Slack's may be five minutes away: where there is more than these
pages, the newest messages are looked at as well."""


class PostedMessages:
    """Finds and deletes messages by their markers. `_late` holds, by marker, the messages that were
    posted by a task that was cancelled."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._late: dict[str, FoundMessage] = {}

    def keep(self, marker: str, answer: FoundMessage) -> None:
        """Keep the answer to a post that came after its task was cancelled."""
        message, ts = answer.get("message"), answer.get("ts")
        if isinstance(ts, str):
            known = message if isinstance(message, dict) else {}
            self._late[marker] = {**known, "ts": ts}

    async def look_for(self, session: Session, message: Message, since: float) -> str:
        """The `ts` of the message, if it is there. Where Slack cannot say for long, the message
        counts as not posted."""
        marker = message.blocks[0]["block_id"]
        if kept := self._late.pop(marker, None):
            return str(kept["ts"])
        try:
            found = await self._find(session, marker, since, LOOK_FOR)
        except SlackAppBlocked:
            raise
        except SlackUnavailable as error:
            log.warning("cannot look for a message that may have been posted: %s", error)
            return ""
        return str(found[0]["ts"]) if found else ""

    async def remove(
        self, session: Session, marker: str, ts: str, tried_since: float
    ) -> list[FoundMessage]:
        """Delete a message; without its `ts`, every message with the marker that was posted after
        `tried_since`. Returns those that were deleted, now or before."""
        kept = self._late.pop(marker, None)
        if ts:
            found: list[FoundMessage] = [{"ts": ts}]
        elif kept is not None:
            found = [kept]
        else:
            found = await self._find(session, marker, tried_since - CLOCKS_APART, PATIENCE)
        for message in found:
            await with_retries(partial(self._delete, session.channel, str(message["ts"])))
        return found

    async def _delete(self, channel: str, ts: str) -> None:
        try:
            await call(self._client.chat_delete, channel=channel, ts=ts)
        except SlackRefused as error:
            if error.code != "message_not_found":
                raise

    async def _find(
        self, session: Session, marker: str, since: float, patience: float
    ) -> list[FoundMessage]:
        find = partial(
            find_messages,
            self._client,
            session.channel,
            marker,
            thread_ts=session.thread_ts,
            since=since,
        )
        return await with_retries(find, patience)


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
        """The messages found, and whether all were read. A channel is read from `latest` backwards,
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
