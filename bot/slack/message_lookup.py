"""What Slack itself says of a message and its files, asked before anything is paid for.

Reports differ on whether the event of a mention carries the message's files. A picture that nobody
saw would be paid for from the words alone, so a mention without files is looked up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.refusals import Reason, Refusal
from bot.slack.identity import Identity
from bot.slack.message_pictures import FoundPictures, files_of, is_stub, pictures_among
from bot.slack.request_tracking import count_slack_errors, error_code

log = logging.getLogger(__name__)

Payload = dict[str, Any]

LOOK_WITHIN = 1.5
"""Seconds for all calls: Slack waits 3 for the ack, and the store takes its time too."""
_MOST_STUBS = 5
_HISTORY_OF_CHANNELS = ("channels:history", "groups:history", "mpim:history")
_NOT_GRANTED = {
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_in_channel",
    "channel_not_found",
    "thread_not_found",
    "message_not_found",
}
"""Slack will not show the message however often it is asked."""
_NO_FILE = {"file_not_found", "file_deleted", "access_denied"}


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(LOOK_WITHIN):
            yield
    except (SlackApiError, ClientError, OSError) as error:  # OSError: TimeoutError is one
        log.warning("a message was not looked up: %s", type(error).__name__)
        raise Refusal(Reason.IMAGE_NOT_LOOKED_UP) from None


def _may_lack_files(event: Payload) -> bool:
    """A mention may; a direct message tells by its subtype that it has files."""
    may_have = event.get("type") == "app_mention" or event.get("subtype") == "file_share"
    return may_have and not event.get("files")


async def _look(ts: str, method: str, asking: Awaitable[AsyncSlackResponse]) -> Payload:
    """The message `ts` of those that Slack answers; empty where it does not show it."""
    try:
        with count_slack_errors(method):
            found = await asking
    except SlackApiError as error:
        if error_code(error) not in _NOT_GRANTED:
            raise
        log.warning("a message cannot be looked up: %s", error_code(error))
        return {}
    messages = found.get("messages") or []
    return next((message for message in messages if message.get("ts") == ts), {})


class MessageLookup:
    """Looks up messages and stubs of files. Raises `Refusal(IMAGE_NOT_LOOKED_UP)` where Slack does
    not answer in time: then nobody knows whether a picture is meant."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def of_event(self, client: AsyncWebClient, event: Payload) -> FoundPictures:
        """The pictures that a message to the bot is about."""
        async with _in_time():
            files = files_of(event)
            if _may_lack_files(event) and self._may_look(event["channel"]):
                files = files_of(await self._message(client, event)) or files
            return await self._among(client, files)

    async def of_root(self, client: AsyncWebClient, channel: str, thread_ts: str) -> FoundPictures:
        """The pictures of the message that a thread hangs on."""
        if not self._may_look(channel):
            return FoundPictures()
        async with _in_time():
            root = await self._root(client, channel, thread_ts)
            return await self._among(client, files_of(root))

    async def of_message(self, client: AsyncWebClient, message: Payload) -> FoundPictures:
        """The pictures of a message that Slack has sent as a whole."""
        async with _in_time():
            return await self._among(client, files_of(message))

    def _may_look(self, channel: str) -> bool:
        scopes = ("im:history",) if channel.startswith("D") else _HISTORY_OF_CHANNELS
        return any(self._identity.has_scope(scope) for scope in scopes)

    async def _message(self, client: AsyncWebClient, event: Payload) -> Payload:
        """The message as the channel or the thread has it; empty where Slack does not show it."""
        channel, ts, thread_ts = event["channel"], event["ts"], event.get("thread_ts")
        if thread_ts and thread_ts != ts:  # oldest first; the root may come before all others
            return await _look(
                ts,
                "conversations.replies",
                client.conversations_replies(
                    channel=channel, ts=thread_ts, oldest=ts, inclusive=True, limit=2
                ),
            )
        return await _look(
            ts,
            "conversations.history",
            client.conversations_history(channel=channel, latest=ts, inclusive=True, limit=1),
        )

    async def _root(self, client: AsyncWebClient, channel: str, thread_ts: str) -> Payload:
        """Oldest first: the root is the first of all."""
        asking = client.conversations_replies(channel=channel, ts=thread_ts, limit=1)
        return await _look(thread_ts, "conversations.replies", asking)

    async def _among(self, client: AsyncWebClient, files: list[Payload]) -> FoundPictures:
        stubs = [file for file in files if is_stub(file) and file.get("id")][:_MOST_STUBS]
        told = await asyncio.gather(*(self._file(client, stub) for stub in stubs))
        known = {file["id"]: file for file in told}
        return pictures_among(known.get(file.get("id"), file) for file in files)

    async def _file(self, client: AsyncWebClient, stub: Payload) -> Payload:
        """The file that a stub stands for."""
        try:
            with count_slack_errors("files.info"):
                answer = await client.files_info(file=stub["id"])
        except SlackApiError as error:
            code = error_code(error)
            if code not in _NO_FILE and code not in _NOT_GRANTED:
                raise
            return {"id": stub["id"], "file_access": code}
        file: Payload = answer.get("file") or {}
        return {**file, "id": stub["id"]}
