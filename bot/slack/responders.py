"""Ways to answer one person in private, one for each kind of request.

Each acks the request where it is not acked yet. `refuse` says why a request was refused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.limits import LimitReached
from bot.domain.option_table import OPTIONS
from bot.domain.prompt import OptionsRefused
from bot.domain.refusals import OptionRefused, OptionsDisagree, Reason, Refusal
from bot.domain.session import Session
from bot.slack.members import PERSONS_ZONE, FindZone
from bot.slack.private_messages import (
    DELIVERY_ERRORS,
    send_ephemeral,
    send_message,
    send_to_response_url,
    thread_of,
    user_of,
)
from bot.slack.request_tracking import count_slack_errors
from bot.slack.responder_base import Responder
from bot.views.blocks import Block
from bot.views.home import notice_view
from bot.views.ids import PICTURE_BLOCK, PROMPT_BLOCK
from bot.views.limit_offers import limit_offer_message
from bot.views.refusal_words import refusal_words

_ABOUT_PICTURES = {
    Reason.IMAGE_TYPE,
    Reason.IMAGE_TOO_LARGE,
    Reason.IMAGE_TOO_MANY_PIXELS,
    Reason.IMAGE_NOT_SHARED,
    Reason.IMAGE_ELSEWHERE,
    Reason.IMAGE_DELETED,
}


class CommandResponder(Responder):
    """Answers a slash command: only the person sees the words. The ack carries them where it is not
    out yet."""

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        ack = self.args.ack
        send = ack if ack.response is None else self.args.respond
        more: dict[str, Any] = {"blocks": blocks} if blocks else {}
        await send(response_type="ephemeral", text=words, **more)

    async def refuse(self, refusal: Refusal) -> None:
        """Refuse, and repeat the whole typed text."""
        match refusal:
            case OptionsRefused():
                await self._correct(refusal, command=True)
            case LimitReached():
                refusal.text = self.args.body.get("text") or ""
                await self.show(limit_offer_message(refusal, command=True))
            case _:
                await super().refuse(refusal)


class FormResponder(Responder):
    """Answers a form: the words stand below their field, and the typed text stays."""

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        await self._show(self._first_field(), words)

    async def refuse(self, refusal: Refusal) -> None:
        zone = await self._zone() if isinstance(refusal, LimitReached) else None
        await self._show(self._field_of(refusal), refusal_words(refusal, plain=True, zone=zone))
        if isinstance(refusal, LimitReached) and refusal.wanted:
            await self._offer(refusal, refusal.wanted.session)

    async def _zone(self) -> ZoneInfo | None:
        """The person's time zone: a form shows no times in it by itself."""
        find_zone: FindZone | None = self.args.context.get(PERSONS_ZONE)
        return await find_zone() if find_zone else None

    async def _offer(self, refusal: LimitReached, session: Session) -> None:
        """A form has no room for buttons: they stand in the channel, for this person alone, or
        where Slack takes no such message in a direct message."""
        text, blocks = limit_offer_message(refusal, command=False)
        if not blocks:
            return
        with suppress(*DELIVERY_ERRORS):
            try:
                await send_ephemeral(self.args, session.channel, session.thread_ts, text, blocks)
            except DELIVERY_ERRORS:
                await send_message(self.args, user_of(self.args), text, blocks=blocks)

    async def _show(self, field: str, words: str) -> None:
        await self.args.ack(response_action="errors", errors={field: words})

    def _field_of(self, refusal: Refusal) -> str:
        field = PROMPT_BLOCK
        if isinstance(refusal, OptionsDisagree):
            field = refusal.option
        elif isinstance(refusal, OptionRefused):
            found = OPTIONS.flag(refusal.option)
            field = found[0].name if found else PROMPT_BLOCK
        elif refusal.reason in _ABOUT_PICTURES:
            field = PICTURE_BLOCK
        match self.args.body.get("view"):
            case {"state": {"values": dict(values)}} if field in values:
                return field
        return self._first_field()

    def _first_field(self) -> str:
        """The prompt's, or the first of a form without one: Slack shows words below inputs only."""
        shown = self.args.body.get("view", {}).get("blocks") or []
        inputs = [block.get("block_id") for block in shown if block.get("type") == "input"]
        return PROMPT_BLOCK if PROMPT_BLOCK in inputs or not inputs else inputs[0]


class ClickResponder(Responder):
    """Answers a click: acked first, then an ephemeral message where the button was."""

    @property
    def is_private(self) -> bool:
        """Whether the button stands in a message that only this person sees."""
        return bool(self.args.body.get("container", {}).get("is_ephemeral"))

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        await self.args.ack()
        body = self.args.body
        container, message = body.get("container", {}), body.get("message", {})
        channel = container.get("channel_id") or body.get("channel", {}).get("id", "")
        thread_ts = container.get("thread_ts") or message.get("thread_ts") or ""
        if message.get("ts") == thread_ts or message.get("subtype") == "thread_broadcast":
            thread_ts = ""  # it stands in the channel, where the thread may well be closed
        try:
            await send_ephemeral(self.args, channel, thread_ts, words, blocks)
        except DELIVERY_ERRORS:
            await send_to_response_url(self.args, words, blocks)

    async def replace_message(self, words: str, blocks: list[Block] | None = None) -> None:
        """Put words in the place of the message with the button, which need not work: Slack takes
        them for half an hour."""
        await self.args.ack()
        with suppress(*DELIVERY_ERRORS):
            await self.args.respond(text=words, blocks=blocks or None, replace_original=True)


class ShortcutResponder(Responder):
    """Answers a shortcut, which people can use where the bot is no member: acked first, then on the
    `response_url`."""

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        await self.args.ack()
        try:
            await send_to_response_url(self.args, words, blocks)
        except DELIVERY_ERRORS:
            await send_ephemeral(self.args, self.args.body["channel"]["id"], "", words, blocks)


class ResponseUrlResponder(Responder):
    """Answers a request for another installation on its `response_url`, which needs no token."""

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        await send_to_response_url(self.args, words, blocks)


class EventResponder(Responder):
    """Answers a message: acked first, then an ephemeral message where it was written. Where Slack
    takes none: in a direct channel a reply, otherwise a direct message."""

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        await self.args.ack()
        event = self.args.body["event"]
        channel, thread_ts = event["channel"], thread_of(event)
        try:
            await send_ephemeral(self.args, channel, thread_ts, words, blocks)
        except DELIVERY_ERRORS:
            if event.get("channel_type") == "im":
                await send_message(self.args, channel, words, thread_ts or event["ts"], blocks)
            else:
                await send_message(self.args, user_of(self.args), words, blocks=blocks)

    async def refuse(self, refusal: Refusal) -> None:
        """The form knows nothing of a thread's draft or of a picture that came along."""
        event = self.args.body["event"]
        is_new = not thread_of(event) and not event.get("files") and not event.get("attachments")
        if isinstance(refusal, OptionsRefused):
            await self._correct(refusal, command=False, with_form=is_new)
        else:
            await super().refuse(refusal)


class HomeResponder(Responder):
    """Answers a click in the Home tab, which has no room for private words: a direct message."""

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        await self.args.ack()
        await send_message(self.args, user_of(self.args), words, blocks=blocks)


class HomeTabResponder(Responder):
    """Answers somebody who opens the Home tab: the words stand in it."""

    async def _tell(self, words: str, blocks: list[Block] | None = None) -> None:
        await self.args.ack()
        view = notice_view(words)
        with count_slack_errors("views.publish"):
            await self.args.client.views_publish(user_id=user_of(self.args), view=view)


def responder_to(args: AsyncArgs) -> Responder:
    """The way to answer the request that suits its kind."""
    match args.body:
        case {"command": _}:
            return CommandResponder(args)
        case {"event": {"type": "app_home_opened"}}:
            return HomeTabResponder(args)
        case {"event": _}:
            return EventResponder(args)
        case {"type": "view_submission"}:
            return FormResponder(args)
        case {"type": "message_action"}:
            return ShortcutResponder(args)
        case {"type": "block_actions", "message": _} | {"type": "block_actions", "channel": _}:
            return ClickResponder(args)
    return HomeResponder(args)
