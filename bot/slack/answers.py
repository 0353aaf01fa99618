"""Answering one person in private, and keeping every error inside the listener.

An async listener that raises shortly after `ack()` makes Bolt forget the ack, so nothing escapes:
a refusal or an outage becomes words, anything else becomes an apology and a log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import ClientError
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.domain.errors import Conflict, Refusal, StoreUnavailable
from bot.views.ids import PROMPT_BLOCK
from bot.views.words import CLICK_LOST, SOMETHING_BROKE, refusal_words

log = logging.getLogger(__name__)

T = TypeVar("T")

DECIDE_WITHIN = 2.0
"""Seconds; Slack waits 3 for the ack."""


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
    """To a form: the words stand below its field, and what was typed stays."""

    def __init__(self, args: AsyncArgs) -> None:
        self._ack = args.ack

    async def say(self, words: str) -> None:
        await self._ack(response_action="errors", errors={PROMPT_BLOCK: words})

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal, plain=True))


class ClickAnswer:
    """To a click: acked first, then an ephemeral message where the button was."""

    def __init__(self, args: AsyncArgs) -> None:
        self._ack = args.ack
        self._body = args.body
        self._client = args.client
        self._respond = args.respond

    async def say(self, words: str) -> None:
        await self._ack()
        container, message = self._body.get("container", {}), self._body.get("message", {})
        channel = container.get("channel_id") or self._body.get("channel", {}).get("id", "")
        thread_ts = container.get("thread_ts") or message.get("thread_ts")
        place = {"thread_ts": thread_ts} if thread_ts else {}
        try:
            await self._client.chat_postEphemeral(
                channel=channel,
                user=self._body["user"]["id"],
                text=words,
                **place,
            )
        except (SlackApiError, ClientError, OSError, KeyError):
            await self._respond(text=words, response_type="ephemeral", replace_original=False)

    async def refuse(self, refusal: Refusal) -> None:
        await self.say(refusal_words(refusal))


Answer = CommandAnswer | FormAnswer | ClickAnswer


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
    try:
        yield
    except Refusal as refusal:
        await _say(answer.refuse(refusal))
    except StoreUnavailable:
        await _say(answer.say(away))
    except Exception as error:
        log.error("a listener broke: %s", type(error).__name__)
        log.debug("where", exc_info=not isinstance(error, Conflict))
        await _say(answer.say(SOMETHING_BROKE))


async def _say(saying: Any) -> None:
    try:
        await saying
    except Exception as error:  # noqa: BLE001 - nothing may escape a listener
        log.warning("an answer could not be delivered: %s", type(error).__name__)
