"""Messages in Slack: each posted once, edited, found again, taken away."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from bot.adapters.slack.web_api import PATIENCE, call, with_retries
from bot.adapters.slack.message_search import find_messages
from bot.concurrency import finish_before_cancel
from bot.domain.errors import ImageNotReady, SlackBusy, SlackRefused, SlackShutOut, SlackUnavailable
from bot.domain.session import Session
from bot.views.messages import Message

log = logging.getLogger(__name__)

Found = dict[str, Any]
"""A message as Slack has it."""

_CLOCK_SKEW = 60.0
FINISH_WITHIN = 2.0
"""Seconds that a post in flight is given when its task is cancelled."""
LOOK_FOR = 60.0
"""Seconds for Slack to say whether a message was posted. A bot that is cut off from it, or has only
dead connections left, is not to post again without having looked."""
JOB_LEASE = 15.0
"""Seconds."""
TAKEN_FOR_DEAD = 2 / 3
"""Of the job's lease: after waiting that long, another worker may have taken the job over, and
posted."""


class MessagePoster:
    """Posts into the thread of a session, or without one into its channel.

    A message is known by the block id of its first block. `_posted_late` holds those that were
    posted by a task that was cancelled.
    """

    def __init__(self, client: AsyncWebClient, job_lease: float = JOB_LEASE) -> None:
        self._client = client
        self._taken_for_dead = job_lease * TAKEN_FOR_DEAD
        self._posted_late: dict[str, Found] = {}

    async def post(
        self, session: Session, message: Message, *, repeated: bool, broadcast: bool = False
    ) -> str:
        """Post, waiting out trouble: whenever it may have been posted already, look before posting
        again."""
        in_doubt, began = repeated, time.monotonic()

        async def step() -> str:
            nonlocal in_doubt
            in_doubt = in_doubt or self._is_long_ago(began)
            if in_doubt and (found := await self._look_for(session, message)):
                return found
            try:
                return await self.post_once(session, message, broadcast=broadcast)
            except (SlackRefused, SlackBusy, SlackShutOut):
                raise  # it had no effect
            except Exception:
                in_doubt = True
                raise

        return await with_retries(step)

    async def post_file(
        self,
        session: Session,
        message: Message,
        within: float,
        *,
        repeated: bool,
        broadcast: bool = False,
    ) -> str:
        """Post a message that names uploaded files, once Slack knows them. Raises `ImageNotReady`
        after so many seconds."""
        began = time.monotonic()

        async def step() -> str:
            in_doubt = repeated or self._is_long_ago(began)
            return await self.post(session, message, repeated=in_doubt, broadcast=broadcast)

        return await _until_ready(within)(step)

    async def post_file_once(self, session: Session, message: Message, within: float) -> str:
        """The same, waiting for nothing else."""
        return await _until_ready(within)(self.post_once, session, message)

    async def post_once(
        self, session: Session, message: Message, *, broadcast: bool = False
    ) -> str:
        post = call(
            self._client.chat_postMessage,
            channel=session.channel,
            text=message.text,
            blocks=message.blocks,
            unfurl_links=False,
            unfurl_media=False,
            **_thread(session, broadcast),
        )
        answer = await finish_before_cancel(
            post, FINISH_WITHIN, on_late=partial(self._keep, _marker(message))
        )
        return str(answer["ts"])

    def _is_long_ago(self, began: float) -> bool:
        return time.monotonic() - began > self._taken_for_dead

    async def update(self, channel: str, ts: str, message: Message) -> None:
        await with_retries(lambda: self.update_once(channel, ts, message))

    async def update_once(self, channel: str, ts: str, message: Message) -> None:
        """`parse` and `link_names` are named because an update resets them."""
        await call(
            self._client.chat_update,
            channel=channel,
            ts=ts,
            text=message.text,
            blocks=message.blocks,
            parse="none",
            link_names=False,
        )

    async def remove(self, session: Session, marker: str, ts: str) -> list[Found]:
        """Take a message away; without its `ts`, all that have the marker. Answers which; one that
        is gone already is as good."""
        kept = self._posted_late.pop(marker, None)
        if ts:
            found: list[Found] = [{"ts": ts}]
        elif kept is not None:
            found = [kept]
        else:
            found = await self._find(session, marker, PATIENCE)
        for message in found:
            await with_retries(partial(self._delete, session.channel, str(message["ts"])))
        return found

    async def _delete(self, channel: str, ts: str) -> None:
        try:
            await call(self._client.chat_delete, channel=channel, ts=ts)
        except SlackRefused as error:
            if error.code != "message_not_found":
                raise

    def _keep(self, marker: str, answer: Found) -> None:
        self._posted_late[marker] = {**answer.get("message", {}), "ts": answer["ts"]}

    async def _look_for(self, session: Session, message: Message) -> str:
        """The `ts` of the message, if it is there. A Slack that cannot say for long does not keep
        the message back."""
        marker = _marker(message)
        if kept := self._posted_late.pop(marker, None):
            return str(kept["ts"])
        try:
            found = await self._find(session, marker, LOOK_FOR)
        except SlackShutOut:
            raise
        except SlackUnavailable as error:
            log.warning("cannot look for a message that may have been posted: %s", error)
            return ""
        return str(found[0]["ts"]) if found else ""

    async def _find(self, session: Session, marker: str, patience: float) -> list[Found]:
        find = partial(
            find_messages,
            self._client,
            session.channel,
            marker,
            thread_ts=session.thread_ts,
            since=session.created_at - _CLOCK_SKEW,
        )
        return await with_retries(find, patience)


def _until_ready(within: float) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(ImageNotReady),
        wait=wait_exponential(multiplier=0.5, max=2.0),
        stop=stop_after_delay(within),
        reraise=True,
    )


def _marker(message: Message) -> str:
    return str(message.blocks[0]["block_id"])


def _thread(session: Session, broadcast: bool) -> dict[str, object]:
    if not session.thread_ts:
        return {}
    place: dict[str, object] = {"thread_ts": session.thread_ts}
    return place | ({"reply_broadcast": True} if broadcast else {})
