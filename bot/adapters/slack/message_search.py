"""The search for a message that may have been posted: the answer to the post was lost.

A message is known by the `block_id` of its first block, which is opaque and unique to it. Reading
the channel takes `channels:history`, `groups:history` or `im:history`; without them nothing is
found, and the message may come twice after a lost answer.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackRefused

log = logging.getLogger(__name__)

FoundMessage = dict[str, Any]
"""A message as Slack has it."""

_PAGE = 100
_PAGES = 5


async def find_messages(
    client: AsyncWebClient, channel: str, marker: str, *, thread_ts: str, since: float
) -> list[FoundMessage]:
    """The messages with this marker, as Slack has them; those on one page are enough.

    Looks through the thread, or without `thread_ts` through the channel, since that time. Raises
    `SlackUnavailable` while Slack cannot say.
    """
    try:
        async for page in _pages(client, channel, thread_ts=thread_ts, since=since):
            if marked := [message for message in page if _marked(message, marker)]:
                return marked
    except SlackRefused as error:
        log.warning("cannot look for a message that may have been posted: %s", error.code)
    return []


async def _pages(
    client: AsyncWebClient, channel: str, *, thread_ts: str, since: float
) -> AsyncIterator[list[FoundMessage]]:
    where: dict[str, Any] = {"channel": channel, "limit": _PAGE, "oldest": f"{since:.6f}"}
    where |= {"ts": thread_ts} if thread_ts else {}
    method = client.conversations_replies if thread_ts else client.conversations_history
    for _ in range(_PAGES):
        page = await call(method, **where)
        yield page.get("messages", [])
        where["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
        if not where["cursor"]:
            break


def _marked(message: FoundMessage, marker: str) -> bool:
    blocks = message.get("blocks") or [{}]
    return bool(blocks[0].get("block_id") == marker)
