"""Messages in Slack: each is posted once, in its turn, and updated."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.file_readiness import FileReadiness, pause
from bot.adapters.slack.message_search import CLOCKS_APART, PostedMessages
from bot.adapters.slack.pacing import LONGEST_TURN, SlackPacing, calling
from bot.adapters.slack.web_api import PATIENCE, call, text_in, with_retries
from bot.concurrency import finish_before_cancel
from bot.domain.errors import (
    ImageNotReady,
    NoLongerOwed,
    SlackAppBlocked,
    SlackBusy,
    SlackRefused,
)
from bot.domain.session import Session
from bot.ports import Priority, StillOwed
from bot.views.blocks import Message

log = logging.getLogger(__name__)

FINISH_WITHIN = 2.0
"""Seconds that a post in flight is given when its task is cancelled."""
JOB_LEASE = 15.0
"""Seconds."""
TAKEN_FOR_DEAD = 2 / 3
"""Of the job's lease: after waiting that long, another worker may have taken the job over, and
posted."""
_BUSY_TRIES = 10
"""Turns that a message takes, where Slack answers each time that it is busy."""


class MessagePoster:
    """Posts into the thread of a session, or without one into its channel.

    `posted` finds and removes what was posted, or may have been.
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
        self.posted = PostedMessages(client)

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
        this one. In its turn, after a look or a long wait, `still_owed` is asked: raises
        `NoLongerOwed`. A message that names uploaded files waits until Slack knows them: raises
        `ImageNotReady` after `ready_within` seconds."""
        in_doubt, began, waited = repeated, time.monotonic(), 0.0
        since = (tried_since if repeated else time.time()) - clocks_apart

        async def step() -> str:
            nonlocal in_doubt, waited
            if in_doubt and (found := await self.posted.look_for(session, message, since)):
                return found
            expected = session.id if priority is Priority.ROOT else ""
            waited += await self._take_turn(session.channel, priority, expected=expected)
            taken_for_dead = time.monotonic() - began > self._taken_for_dead
            if still_owed is not None:
                # of two runs, the other may have posted since the look
                if (in_doubt or taken_for_dead) and not await still_owed():
                    raise NoLongerOwed("a message")
            elif taken_for_dead:
                in_doubt = True
                if found := await self.posted.look_for(session, message, since):
                    return found
            try:
                return await self.post_once(session, message, broadcast=broadcast)
            except (SlackRefused, SlackBusy, SlackAppBlocked):
                raise  # it had no effect
            except Exception:
                in_doubt = True
                raise

        steps = partial(self._while_busy, step)
        retried = partial(with_retries, steps, PATIENCE, lambda: waited)
        return await self._once_ready(message, retried, ready_within)

    async def _while_busy(self, step: Callable[[], Awaitable[str]]) -> str:
        """Take the step, and take it again while Slack is busy, which has moved everybody's
        turns."""
        for _ in range(_BUSY_TRIES if self._pacing else 0):
            try:
                return await step()
            except SlackBusy as busy:
                if busy.retry_after > PATIENCE:
                    raise
        return await step()

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
        late = partial(self.posted.keep, message.blocks[0]["block_id"])
        with calling(Priority.ANSWER, has_turn=True):
            answer = await finish_before_cancel(post, FINISH_WITHIN, on_late=late)
        return text_in(answer, "ts", "chat.postMessage")

    async def update(
        self,
        channel: str,
        ts: str,
        message: Message,
        *,
        status: bool = False,
        has_turn: bool = False,
    ) -> None:
        """A `status` is tried once, and waits for no turn. `parse` and `link_names` are named
        because an update resets them."""
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
            with calling(Priority.EDIT, 0.0, has_turn=has_turn):
                await update()
        else:
            await with_retries(update)

    async def update_turn(self, priority: Priority, patience: float) -> None:
        if self._pacing is not None:
            await self._pacing.take("chat.update", "", priority, patience)
