"""Messages in Slack: each is posted once, updated, found again, deleted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.file_readiness import FileReadiness, pause
from bot.adapters.slack.message_search import FoundMessage, find_messages
from bot.adapters.slack.pacing import LONGEST_TURN, SlackPacing, calling
from bot.adapters.slack.web_api import PATIENCE, call, text_in, with_retries
from bot.concurrency import finish_before_cancel
from bot.domain.errors import (
    ImageNotReady,
    NoLongerOwed,
    SlackAppBlocked,
    SlackBusy,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.session import Session
from bot.ports import Priority, StillOwed
from bot.views.blocks import Message

log = logging.getLogger(__name__)

FINISH_WITHIN = 2.0
"""Seconds that a post in flight is given when its task is cancelled."""
LOOK_FOR = 60.0
"""Seconds for Slack to say whether a message was posted. A bot that is cut off from Slack, or has
only dead connections left, does not post again without having looked."""
JOB_LEASE = 15.0
"""Seconds."""
TAKEN_FOR_DEAD = 2 / 3
"""Of the job's lease: after waiting that long, another worker may have taken the job over, and
posted."""
_BUSY_TRIES = 10
"""Turns that a message takes, where Slack answers each time that it is busy."""
CLOCKS_APART = 330.0
"""Seconds that Slack's clock may be behind ours: a little more than its signed requests allow."""


class MessagePoster:
    """Posts into the thread of a session, or without one into its channel.

    A message is known by the block id of its first block, its marker. `_posted_late` holds the
    messages that were posted by a task that was cancelled, by marker.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        readiness: FileReadiness,
        job_lease: float = JOB_LEASE,
        pacing: SlackPacing | None = None,
    ) -> None:
        self._client = client
        self._pacing = pacing
        self._readiness = readiness
        self._taken_for_dead = job_lease * TAKEN_FOR_DEAD
        self._posted_late: dict[str, FoundMessage] = {}

    async def post(
        self,
        session: Session,
        message: Message,
        *,
        repeated: bool,
        tried_since: float,
        priority: Priority,
        still_owed: StillOwed | None = None,
        broadcast: bool = False,
        ready_within: float = 0.0,
        clocks_apart: float = CLOCKS_APART,
    ) -> str:
        """Post in its turn, while Slack is busy or away, and return the `ts`. Where the message may
        have been posted already, look for it first: by an earlier run, `tried_since` then, or by
        this one. After a long wait `still_owed` is asked: raises `NoLongerOwed`. A message that
        names uploaded files waits until Slack knows them: raises `ImageNotReady` after
        `ready_within` seconds."""
        in_doubt, began, waited = repeated, time.monotonic(), 0.0
        since = (tried_since if repeated else time.time()) - clocks_apart

        async def step() -> str:
            nonlocal in_doubt, waited
            if in_doubt and (found := await self._look_for(session, message, since)):
                return found
            expected = session.id if priority is Priority.ROOT else ""
            waited += await self._take_turn(session.channel, priority, expected=expected)
            if time.monotonic() - began > self._taken_for_dead:
                if still_owed is None:
                    in_doubt = True
                    if found := await self._look_for(session, message, since):
                        return found
                elif not await still_owed():
                    raise NoLongerOwed("a message")
            try:
                return await self.post_once(session, message, broadcast=broadcast)
            except (SlackRefused, SlackBusy, SlackAppBlocked):
                raise  # it had no effect
            except Exception:
                in_doubt = True
                raise

        async def steps() -> str:
            """A Slack that is busy has moved everybody's turns."""
            for _ in range(_BUSY_TRIES if self._pacing else 0):
                try:
                    return await step()
                except SlackBusy as busy:
                    if busy.retry_after > PATIENCE:
                        raise
            return await step()

        retried = partial(with_retries, steps, PATIENCE, lambda: waited)
        return await self._once_ready(message, retried, ready_within)

    async def post_once_ready(self, session: Session, message: Message, within: float) -> str:
        """Post as soon as Slack knows the message's files, and wait for nothing else. Raises
        `ImageNotReady` after `within` seconds."""

        async def step() -> str:
            await self._take_turn(session.channel, Priority.EDIT, 0.0)
            return await self.post_once(session, message)

        return await self._once_ready(message, step, within)

    async def _once_ready(
        self, message: Message, post: Callable[[], Awaitable[str]], within: float
    ) -> str:
        files = [block["slack_file"]["id"] for block in message.blocks if "slack_file" in block]
        began = time.monotonic()
        while True:
            await self._readiness.wait(files, began + within - time.monotonic())
            try:
                ts = await post()
            except ImageNotReady:
                self._readiness.refused(files)
                age = time.monotonic() - began
                if age + pause(age) > within:
                    raise
                await asyncio.sleep(pause(age))
            else:
                self._readiness.posted(files)
                return ts

    async def _take_turn(
        self,
        channel: str,
        priority: Priority,
        patience: float = LONGEST_TURN,
        *,
        expected: str = "",
    ) -> float:
        """Answer the seconds that it took."""
        if self._pacing is None:
            return 0.0
        began = time.monotonic()
        await self._pacing.take("chat.postMessage", channel, priority, patience, expected=expected)
        return time.monotonic() - began

    async def post_once(
        self, session: Session, message: Message, *, broadcast: bool = False
    ) -> str:
        """Post a message that has its turn."""
        post = call(
            self._client.chat_postMessage,
            channel=session.channel,
            thread_ts=session.thread_ts or None,
            reply_broadcast=True if broadcast and session.thread_ts else None,
            text=message.text,
            blocks=message.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        late = partial(self._keep, message.blocks[0]["block_id"])
        with calling(Priority.ANSWER, has_turn=True):
            answer = await finish_before_cancel(post, FINISH_WITHIN, on_late=late)
        return text_in(answer, "ts", "chat.postMessage")

    async def update(
        self, channel: str, ts: str, message: Message, *, status: bool = False, turn: float = 0.0
    ) -> None:
        """A `status` is tried once, after `turn` seconds at most for its turn. `parse` and
        `link_names` are named because an update resets them."""
        update = partial(
            call,
            self._client.chat_update,
            channel=channel,
            ts=ts,
            text=message.text,
            blocks=message.blocks,
            parse="none",
            link_names=False,
        )
        if status:
            with calling(Priority.EDIT, turn):
                await update()
        else:
            await with_retries(update)

    async def remove(
        self, session: Session, marker: str, ts: str, tried_since: float
    ) -> list[FoundMessage]:
        """Delete a message; without its `ts`, every message with the marker that was posted after
        `tried_since`. Returns those that were deleted, now or before."""
        kept = self._posted_late.pop(marker, None)
        if ts:
            found: list[FoundMessage] = [{"ts": ts}]
        elif kept is not None:
            found = [kept]
        else:
            found = await self._find(session, marker, tried_since - CLOCKS_APART, PATIENCE)
        for message in found:
            await with_retries(partial(self._delete, session.channel, str(message["ts"])))
        return found

    async def _delete(self, channel: str, ts: str) -> None:
        try:
            await call(self._client.chat_delete, channel=channel, ts=ts)
        except SlackRefused as error:
            if error.code != "message_not_found":
                raise

    def _keep(self, marker: str, answer: FoundMessage) -> None:
        message, ts = answer.get("message"), answer.get("ts")
        if isinstance(ts, str):
            known = message if isinstance(message, dict) else {}
            self._posted_late[marker] = {**known, "ts": ts}

    async def _look_for(self, session: Session, message: Message, since: float) -> str:
        """The `ts` of the message, if it is there. Where Slack cannot say for long, the message
        counts as not posted."""
        marker = message.blocks[0]["block_id"]
        if kept := self._posted_late.pop(marker, None):
            return str(kept["ts"])
        try:
            found = await self._find(session, marker, since, LOOK_FOR)
        except SlackAppBlocked:
            raise
        except SlackUnavailable as error:
            log.warning("cannot look for a message that may have been posted: %s", error)
            return ""
        return str(found[0]["ts"]) if found else ""

    async def _find(
        self, session: Session, marker: str, since: float, patience: float
    ) -> list[FoundMessage]:
        find = partial(
            find_messages,
            self._client,
            session.channel,
            marker,
            thread_ts=session.thread_ts,
            since=since,
        )
        return await with_retries(find, patience)
