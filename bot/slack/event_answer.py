"""Answering a message, and a button of the Home tab, in private."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.errors import Refusal
from bot.slack.request_metrics import calling
from bot.slack.requests import thread_of, user_of
from bot.slack.telling import DELIVERY_ERRORS, tell_directly, tell_here
from bot.views.home import notice_view
from bot.views.words import refusal_words


class EventAnswer:
    """Acked first, then an ephemeral message where the person wrote. Where Slack takes none: in a
    direct channel a reply, otherwise a direct message."""

    def __init__(self, args: AsyncArgs) -> None:
        self._args = args

    async def say(self, words: str) -> None:
        await self._args.ack()
        event = self._args.body["event"]
        channel, thread_ts = event["channel"], thread_of(event)
        try:
            await tell_here(self._args, channel, thread_ts, words)
        except DELIVERY_ERRORS:
            if event.get("channel_type") == "im":
                await tell_directly(self._args, channel, words, thread_ts or event["ts"])
            else:
                await tell_directly(self._args, user_of(self._args), words)

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal, command=False))


class HomeAnswer:
    """About the Home tab, which has no room for private words: a direct message."""

    def __init__(self, args: AsyncArgs) -> None:
        self._args = args

    async def say(self, words: str) -> None:
        await self._args.ack()
        await tell_directly(self._args, user_of(self._args), words)

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal))


class HomeTabAnswer:
    """To somebody who looks at the Home tab: the words stand in it."""

    def __init__(self, args: AsyncArgs) -> None:
        self._args = args

    async def say(self, words: str) -> None:
        await self._args.ack()
        view = notice_view(words)
        with calling("views.publish"):
            await self._args.client.views_publish(user_id=user_of(self._args), view=view)

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal))
