"""Answering one person in private, and keeping every error inside the listener.

An async listener that raises shortly after `ack()` makes Bolt forget the ack, so nothing escapes:
a refusal or an outage becomes words, anything else becomes an apology and a log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.errors import Conflict, OptionRefused, Reason, Refusal, StoreUnavailable
from bot.slack.request_metrics import handling
from bot.slack.requests import block_ids
from bot.slack.telling import DELIVERY_ERRORS, tell_here, tell_on_response_url
from bot.telemetry.context import about
from bot.telemetry.tracing import span
from bot.views.ids import OPTION_BLOCKS, PICTURE_BLOCK, PROMPT_BLOCK
from bot.views.words import CLICK_LOST, SOMETHING_BROKE, refusal_words, store_words

log = logging.getLogger(__name__)

T = TypeVar("T")

DECIDE_WITHIN = 2.0
"""Seconds; Slack waits 3 for the ack."""

_SELECTS = {
    "--ar": OPTION_BLOCKS["size"],
    "--size": OPTION_BLOCKS["size"],
    "--quality": OPTION_BLOCKS["quality"],
    "--background": OPTION_BLOCKS["background"],
    "--n": OPTION_BLOCKS["count"],
}
_ABOUT_PICTURES = {
    Reason.IMAGE_TYPE,
    Reason.IMAGE_TOO_LARGE,
    Reason.IMAGE_TOO_MANY_PIXELS,
    Reason.IMAGE_NOT_SHARED,
}


class Answer(Protocol):
    """Where one person is told something in private, and acked."""

    async def say(self, words: str) -> None: ...

    async def refuse(self, refusal: Refusal) -> None: ...


class CommandAnswer:
    """To a slash command: only the person sees the words. Until then not acked, the ack carries
    them."""

    def __init__(self, args: AsyncArgs) -> None:
        self._ack = args.ack
        self._respond = args.respond

    async def say(self, words: str) -> None:
        send = self._ack if self._ack.response is None else self._respond
        await send(text=words, response_type="ephemeral")

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal))


class FormAnswer:
    """To a form: the words stand below the field that they are about, and what was typed
    stays."""

    def __init__(self, args: AsyncArgs) -> None:
        self._ack = args.ack
        self._fields = block_ids(args.body["view"])

    async def say(self, words: str) -> None:
        await self._show(PROMPT_BLOCK, words)

    async def refuse(self, refusal: Refusal) -> None:
        await self._show(self._field_of(refusal), refusal_words(refusal, plain=True))

    async def _show(self, field: str, words: str) -> None:
        await self._ack(response_action="errors", errors={field: words})

    def _field_of(self, refusal: Refusal) -> str:
        field = PROMPT_BLOCK
        if isinstance(refusal, OptionRefused) and not refusal.text:
            field = _SELECTS.get(refusal.option, PROMPT_BLOCK)
        elif refusal.reason in _ABOUT_PICTURES:
            field = PICTURE_BLOCK
        return field if field in self._fields else PROMPT_BLOCK


class ClickAnswer:
    """To a click: acked first, then an ephemeral message where the button was."""

    def __init__(self, args: AsyncArgs) -> None:
        self._args = args

    async def say(self, words: str) -> None:
        await self._args.ack()
        body = self._args.body
        container, message = body.get("container", {}), body.get("message", {})
        channel = container.get("channel_id") or body.get("channel", {}).get("id", "")
        thread_ts = container.get("thread_ts") or message.get("thread_ts") or ""
        if message.get("ts") == thread_ts or message.get("subtype") == "thread_broadcast":
            thread_ts = ""  # it stands in the channel, where the thread may well be closed
        try:
            await tell_here(self._args, channel, thread_ts, words)
        except DELIVERY_ERRORS:
            await tell_on_response_url(self._args, words)

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal))


class ShortcutAnswer:
    """To a shortcut, which people can use where the bot is no member: acked first, then on the
    `response_url`."""

    def __init__(self, args: AsyncArgs) -> None:
        self._args = args

    async def say(self, words: str) -> None:
        await self._args.ack()
        try:
            await tell_on_response_url(self._args, words)
        except DELIVERY_ERRORS:
            await tell_here(self._args, self._args.body["channel"]["id"], "", words)

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal))


class ResponseUrlAnswer:
    """On the `response_url` alone, which needs no token: for what is not this installation's."""

    def __init__(self, args: AsyncArgs) -> None:
        self._args = args

    async def say(self, words: str) -> None:
        await tell_on_response_url(self._args, words)

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal))


async def in_time(deciding: Awaitable[T]) -> T:
    """What is decided before the ack, within `DECIDE_WITHIN`: several slow answers of the store
    add up. Raises `StoreUnavailable`."""
    try:
        async with asyncio.timeout(DECIDE_WITHIN):
            return await deciding
    except TimeoutError as error:
        raise StoreUnavailable("late") from error


@asynccontextmanager
async def answering(answer: Answer, away: str = CLICK_LOST) -> AsyncIterator[None]:
    """Turn what the body raises into an answer. `away` is said when the store does not answer."""
    with handling() as receipt, about(), span(f"slack {receipt.name}"):
        try:
            yield
        except Refusal as refusal:
            receipt.outcome = "refused"
            log.info("refused: %s", refusal.reason)
            await _say(answer.refuse(refusal))
        except StoreUnavailable as error:
            receipt.outcome = "unavailable"
            log.warning("the store is %s: %s", error.trouble.value, error)
            await _say(answer.say(store_words(error.trouble, away)))
        except Exception as error:
            receipt.outcome = "error"
            log.error("a listener broke: %s", type(error).__name__)
            log.debug("where", exc_info=not isinstance(error, Conflict))
            await _say(answer.say(SOMETHING_BROKE))


async def _say(saying: Any) -> None:
    try:
        await saying
    except Exception as error:  # noqa: BLE001 - nothing may escape a listener
        log.warning("an answer could not be delivered: %s", type(error).__name__)
