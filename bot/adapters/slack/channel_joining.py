"""Joins a public channel in which the bot is asked for an image and is not a member yet."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web_api import call, with_retries
from bot.domain.errors import NotInChannel, SlackAppBlocked, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.slack_errors import PLACE, Meaning, meaning_of
from bot.domain.slack_refusals import ConversationKind

log = logging.getLogger(__name__)

_JOIN_WITHIN = 10.0
"""Seconds for Slack to let the bot into a channel."""


class ChannelJoining:
    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def post_as_member(self, session: Session, post: Callable[[], Awaitable[str]]) -> str:
        """Post; where the bot is not a member of a public channel, join it and post again. Raises
        `NotInChannel` where it cannot join."""
        try:
            return await post()
        except SlackRefused as error:
            if meaning_of(error.code) is not Meaning.NOT_A_MEMBER:
                raise
            why_not = error
            if error.code == "not_in_channel" and session.place is ConversationKind.CHANNEL:
                joined = await self._join(session.channel)
                if joined is None:
                    return await post()
                why_not = joined if meaning_of(joined.code) in PLACE else error
            raise NotInChannel(why_not.method, why_not.code) from error

    async def _join(self, channel: str) -> SlackRefused | None:
        """Join the channel, or answer what keeps the bot out."""
        try:
            join = partial(call, self._client.conversations_join, channel=channel)
            await with_retries(join, _JOIN_WITHIN)
        except SlackAppBlocked:
            raise
        except (SlackRefused, SlackUnavailable) as error:
            log.info("cannot join a channel by itself: %s", error)
            if isinstance(error, SlackRefused):
                return error
            return SlackRefused("conversations.join", "not_in_channel")
        return None
