"""The calls to Slack that tell one person something. Where Slack does not take one, it raises one
of `DELIVERY_ERRORS`."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientError
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackClientError

from bot.domain.errors import ImagineError
from bot.domain.slack_errors import is_delivered
from bot.slack.request_tracking import count_slack_errors
from bot.views.blocks import Block

DELIVERY_ERRORS = (SlackClientError, ImagineError, ClientError, OSError, LookupError, ValueError)
"""`ValueError`: the request came without a `response_url`, or the answer is no text."""


def user_of(args: AsyncArgs) -> str:
    """The person to whom an answer goes, whether let in or not."""
    return args.context.user_id or ""


def thread_of(event: dict[str, Any]) -> str:
    """The thread that a message was written in, if any."""
    thread_ts: str = event.get("thread_ts") or ""
    return "" if thread_ts == event["ts"] else thread_ts


async def send_ephemeral(
    args: AsyncArgs, channel: str, thread_ts: str, words: str, blocks: list[Block] | None = None
) -> None:
    """Send an ephemeral message, where the bot is a member."""
    more: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
    more |= {"blocks": blocks} if blocks else {}
    with count_slack_errors("chat.postEphemeral"):
        await args.client.chat_postEphemeral(
            channel=channel, user=user_of(args), text=words, **more
        )


async def send_to_response_url(
    args: AsyncArgs, words: str, blocks: list[Block] | None = None
) -> None:
    """Send words that only the person sees: works everywhere, for 30 minutes. Raises `OSError`
    where Slack does not take them."""
    answer = await args.respond(
        text=words, blocks=blocks or None, response_type="ephemeral", replace_original=False
    )
    if answer is not None and not is_delivered(answer.status_code, str(answer.body or "")):
        raise OSError("the response_url does not take it")


async def send_message(
    args: AsyncArgs,
    channel: str,
    words: str,
    thread_ts: str = "",
    blocks: list[Block] | None = None,
) -> None:
    """Send a message to one person: `channel` is their user id, or their direct channel."""
    more: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}
    more |= {"blocks": blocks} if blocks else {}
    with count_slack_errors("chat.postMessage"):
        await args.client.chat_postMessage(
            channel=channel, text=words, unfurl_links=False, unfurl_media=False, **more
        )
