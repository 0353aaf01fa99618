"""The ways to tell one person something in private."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientError
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.slack.request_metrics import calling
from bot.slack.requests import user_of

DELIVERY_ERRORS = (SlackApiError, ClientError, OSError, KeyError, ValueError)
"""`ValueError`: the request came without a `response_url`."""


async def tell_here(args: AsyncArgs, channel: str, thread_ts: str, words: str) -> None:
    """An ephemeral message, where the bot is a member."""
    place: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
    with calling("chat.postEphemeral"):
        await args.client.chat_postEphemeral(
            channel=channel, user=user_of(args), text=words, **place
        )


async def tell_on_response_url(args: AsyncArgs, words: str) -> None:
    """Works everywhere, for 30 minutes. Raises `OSError` where Slack does not take it."""
    answer = await args.respond(text=words, response_type="ephemeral", replace_original=False)
    if answer is not None and answer.status_code >= 400:
        raise OSError("the response_url does not take it")


async def tell_directly(args: AsyncArgs, channel: str, words: str, thread_ts: str = "") -> None:
    """A message to one person: `channel` is their user id, or their direct channel."""
    place: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
    with calling("chat.postMessage"):
        await args.client.chat_postMessage(
            channel=channel, text=words, unfurl_links=False, unfurl_media=False, **place
        )
