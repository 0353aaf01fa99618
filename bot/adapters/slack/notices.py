"""Private notices to one person."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.slack_errors import is_delivered
from bot.telemetry import meters
from bot.views.blocks import Message

log = logging.getLogger(__name__)


class Notices:
    """Sends a notice by the `response_url` (works where the bot is no member, for 30 minutes), else
    as an ephemeral message, else as a direct message."""

    def __init__(self, client: AsyncWebClient, session: ClientSession) -> None:
        self._client = client
        self._session = session

    async def tell(self, session: Session, notice: Message) -> None:
        """A notice that cannot be delivered is logged. Raises `SlackUnavailable` where it may be
        delivered later."""
        if session.response_url and await self._respond(session.response_url, notice):
            return
        if await self._post_ephemeral(session, notice):
            return
        await self.tell_person(session.user, notice)

    async def tell_person(self, user: str, notice: Message) -> None:
        """In a direct message."""
        try:
            await call(self._client.chat_postMessage, channel=user, **_shown(notice))
        except SlackRefused as error:
            log.warning("a notice could not be delivered: %s", error)

    async def _respond(self, url: str, notice: Message) -> bool:
        body = {"response_type": "ephemeral", "replace_original": False, **_shown(notice)}
        try:
            async with self._session.post(url, json=body) as response:
                if is_delivered(response.status, await response.text(errors="replace")):
                    return True
                meters.count_slack_error("response_url", f"http_{response.status}")
        except (ClientError, OSError, ValueError, LookupError):
            meters.count_slack_error("response_url", "unavailable")
        return False

    async def _post_ephemeral(self, session: Session, notice: Message) -> bool:
        place = {"thread_ts": session.thread_ts} if session.thread_ts else {}
        try:
            await call(
                self._client.chat_postEphemeral,
                channel=session.channel,
                user=session.user,
                **_shown(notice),
                **place,
            )
        except (SlackRefused, SlackUnavailable):
            return False
        return True


def _shown(notice: Message) -> dict[str, Any]:
    return {"text": notice.text, **({"blocks": notice.blocks} if notice.blocks else {})}
