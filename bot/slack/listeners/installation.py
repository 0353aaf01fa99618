"""What Slack says about the app itself, and about the places where it is."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Awaitable

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.app_blocked import AppBlocked
from bot.domain.errors import ImagineError
from bot.domain.failures import FailureKind
from bot.service.lost_channels import EndedSession
from bot.slack.listening import ListenerDependencies, within_ack_deadline
from bot.slack.private_messages import DELIVERY_ERRORS
from bot.slack.request_tracking import count_slack_errors, track_listener
from bot.views.failure_messages import notice_message

log = logging.getLogger(__name__)

MOST_TOLD = 5
"""Notices to one person about one place."""


class Installation:
    """Each event is acked once it is stored: Slack sends it again until then."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._identity = dependencies.identity

    async def uninstalled(self, args: AsyncArgs) -> None:
        await self._store(args, self._shut_out(args))

    async def tokens_revoked(self, args: AsyncArgs) -> None:
        """The token may be that of a person, which the bot does not use."""
        tokens = args.body["event"].get("tokens")
        ours = tokens.get("bot") if isinstance(tokens, dict) else None
        if isinstance(ours, list) and self._identity.bot_user in ours:
            await self._store(args, self._shut_out(args))
        else:
            await args.ack()

    async def archived(self, args: AsyncArgs) -> None:
        await self._lost(args, FailureKind.CHANNEL_ARCHIVED)

    async def deleted(self, args: AsyncArgs) -> None:
        await self._lost(args, FailureKind.CHANNEL_DELETED)

    async def left(self, args: AsyncArgs) -> None:
        """The bot was removed."""
        await self._lost(args, FailureKind.NOT_IN_CHANNEL)

    async def member_left(self, args: AsyncArgs) -> None:
        if args.body["event"].get("user") == self._identity.bot_user:
            await self._lost(args, FailureKind.NOT_IN_CHANNEL)
        else:
            await args.ack()

    async def _shut_out(self, args: AsyncArgs) -> None:
        event = str(args.body["event"]["type"])
        log.error("%s: nothing more is called until the app is installed again", event)
        await self._dependencies.app_blocked_store.save(AppBlocked("event", event, time.time()))

    async def _lost(self, args: AsyncArgs, kind: FailureKind) -> None:
        channel = args.body["event"].get("channel")
        if not isinstance(channel, str):
            await args.ack()
            return
        ended: list[EndedSession] = []

        async def give_up() -> None:
            ended.extend(
                await self._dependencies.services.lost_channels.give_up(
                    self._identity.installation, channel, kind, self._identity.bot_name
                )
            )

        await self._store(args, give_up())
        await self._tell(args, ended)

    async def _store(self, args: AsyncArgs, storing: Awaitable[None]) -> None:
        with track_listener() as tracked:
            try:
                await within_ack_deadline(storing)
            except ImagineError as error:
                tracked.outcome = "unavailable"
                log.warning("an event could not be stored: %s", error)
                return
            await args.ack()

    async def _tell(self, args: AsyncArgs, ended: list[EndedSession]) -> None:
        told: Counter[str] = Counter()
        for each in ended:
            user = each.session.user
            told[user] += 1
            if told[user] > MOST_TOLD:
                continue
            notice = notice_message(each.session, each.words, each.failed)
            blocks = notice.blocks or None
            try:
                with count_slack_errors("chat.postMessage"):
                    await args.client.chat_postMessage(
                        channel=user, text=notice.text, blocks=blocks
                    )
            except DELIVERY_ERRORS as error:
                log.warning("a notice could not be delivered: %s", type(error).__name__)
