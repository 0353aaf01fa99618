"""Private notices to one person."""

from __future__ import annotations

import logging

from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.telemetry import metrics

log = logging.getLogger(__name__)


class Notices:
    """Sends a notice by the `response_url` (works where the bot is no member, for 30 minutes), else
    as an ephemeral message, else as a direct message."""

    def __init__(self, client: AsyncWebClient, session: ClientSession) -> None:
        self._client = client
        self._session = session

    async def tell(self, session: Session, words: str) -> None:
        """A notice that cannot be delivered is logged. Raises `SlackUnavailable` where it may be
        delivered later."""
        if session.response_url and await self._respond(session.response_url, words):
            return
        if await self._post_ephemeral(session, words):
            return
        try:
            await call(self._client.chat_postMessage, channel=session.user, text=words)
        except SlackRefused as error:
            log.warning("a notice could not be delivered: %s", error)

    async def _respond(self, url: str, words: str) -> bool:
        body = {"response_type": "ephemeral", "replace_original": False, "text": words}
        try:
            async with self._session.post(url, json=body) as response:
                if response.status == 200:
                    return True
                metrics.slack_error("response_url", f"http_{response.status}")
        except (ClientError, OSError):
            metrics.slack_error("response_url", "unavailable")
        return False

    async def _post_ephemeral(self, session: Session, words: str) -> bool:
        place = {"thread_ts": session.thread_ts} if session.thread_ts else {}
        try:
            await call(
                self._client.chat_postEphemeral,
                channel=session.channel,
                user=session.user,
                text=words,
                **place,
            )
        except (SlackRefused, SlackUnavailable):
            return False
        return True
