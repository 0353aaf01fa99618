"""Looking for a message that was posted, but whose answer was lost.

A message is known by the `block_id` of its first block, which is opaque and unique to it. Reading
the channel takes `channels:history` or `groups:history`; without them nothing is found, and the
message may come twice after a lost answer.
"""

from __future__ import annotations

import logging
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.calls import call
from bot.domain.errors import SlackRefused

log = logging.getLogger(__name__)

_PAGE = 100
_PAGES = 5


async def find_message(
    client: AsyncWebClient, channel: str, marker: str, *, thread_ts: str, since: float
) -> str:
    """The `ts` of the message with this marker, or an empty string.

    Looks through the thread, or without `thread_ts` through the channel since that time. Raises
    `SlackUnavailable` while Slack cannot say.
    """
    where: dict[str, Any] = {"channel": channel, "limit": _PAGE}
    where |= {"ts": thread_ts} if thread_ts else {"oldest": f"{since:.6f}"}
    method = client.conversations_replies if thread_ts else client.conversations_history
    for _ in range(_PAGES):
        try:
            page = await call(method, **where)
        except SlackRefused as error:
            log.warning("cannot look for a message that may have been posted: %s", error.code)
            return ""
        for message in page.get("messages", []):
            blocks = message.get("blocks") or [{}]
            if blocks[0].get("block_id") == marker:
                return str(message["ts"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
        where["cursor"] = cursor
    return ""
