"""`SlackPublisher`: shows sessions in Slack."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from bot.adapters.slack.calls import call, patiently
from bot.adapters.slack.files import Uploader
from bot.adapters.slack.finder import find_message
from bot.adapters.slack.notices import Notices
from bot.domain.errors import (
    ImageNotReady,
    NotInChannel,
    SlackBusy,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.session import Session
from bot.views import messages
from bot.views.messages import Message

log = logging.getLogger(__name__)

READY_WITHIN = 25.0
"""Seconds that Slack is given to know an uploaded file as an image (it takes 1–2)."""
_CLOCK_SKEW = 60.0
_LOOK_FOR = 10.0
"""Seconds for what the bot can do without."""


class SlackPublisher:
    """Implements `bot.ports.Publisher`."""

    def __init__(
        self,
        client: AsyncWebClient,
        session: ClientSession,
        *,
        now: Callable[[], float] = time.time,
        ready_within: float = READY_WITHIN,
    ) -> None:
        self._client = client
        self._uploader = Uploader(client, session)
        self._notices = Notices(client, session)
        self._now = now
        self._ready_within = ready_within

    async def post_root(self, session: Session, ahead: int, *, repeated: bool) -> str:
        message = messages.root_message(session, ahead, self._now())
        try:
            return await self._post(session, message, repeated=repeated)
        except SlackRefused as error:
            if error.code == "not_in_channel" and await self._join(session.channel):
                return await self._post(session, message, repeated=repeated)
            if error.code in {"not_in_channel", "channel_not_found"}:
                raise NotInChannel(error.method, error.code) from error
            raise

    async def show_status(self, session: Session, ahead: int | None) -> None:
        message = messages.root_message(session, ahead, self._now())
        await self._update_once(session.channel, session.thread_ts, message)

    async def upload(self, session: Session, number: int, image: bytes) -> str:
        return await self._uploader.upload(image, _filename(session, number))

    async def post_draft(self, session: Session, number: int, *, repeated: bool) -> str:
        draft = messages.draft_message(session, number, live=True)
        return await self._post_file(session, draft, repeated=repeated)

    async def share(self, session: Session, number: int, image: bytes) -> None:
        log.warning("an uploaded file was not ready within %s s: shared", self._ready_within)
        place = {"channel_id": session.channel, "thread_ts": session.thread_ts}
        await self._uploader.upload(image, _filename(session, number), **place)

    async def refresh_draft(self, session: Session, number: int) -> None:
        live = messages.is_live(session, number)
        draft = messages.draft_message(session, number, live=live)
        await self._update(session.channel, session.attempt(number).message_ts, draft)

    async def post_failure(
        self, session: Session, number: int, words: str, *, edit_prompt: bool, repeated: bool
    ) -> str:
        message = messages.failure_message(session, number, words, edit_prompt=edit_prompt)
        return await self._post(session, message, repeated=repeated)

    async def post_final(self, session: Session, *, repeated: bool) -> str:
        message = messages.final_message(session, link=await self._link(session))
        return await self._post_file(session, message, repeated=repeated, reply_broadcast=True)

    async def retire_final(self, session: Session) -> None:
        message = messages.final_message(session, link=await self._link(session), retired=True)
        await self._update(session.channel, session.final_ts, message)

    async def tell_owner(self, session: Session, words: str) -> None:
        await self._notices.tell(session, words)

    async def _link(self, session: Session) -> str:
        """Where the approved image can be seen, if Slack does not take it into a message."""
        approved = session.attempt(session.final_result)
        if not approved.as_file:
            return ""
        where = {"channel": session.channel, "message_ts": approved.message_ts}
        answer = await patiently(lambda: call(self._client.chat_getPermalink, **where))
        return str(answer["permalink"])

    async def _post_file(
        self, session: Session, message: Message, *, repeated: bool, reply_broadcast: bool = False
    ) -> str:
        """Post a message that names an uploaded file, once Slack knows the file."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(ImageNotReady),
            wait=wait_exponential(multiplier=0.5, max=2.0),
            stop=stop_after_delay(self._ready_within),
            reraise=True,
        )
        return await retrying(
            self._post, session, message, repeated=repeated, reply_broadcast=reply_broadcast
        )

    async def _post(
        self, session: Session, message: Message, *, repeated: bool, reply_broadcast: bool = False
    ) -> str:
        """Post once: whenever it may have been posted already, look before posting again."""
        in_doubt = repeated

        async def step() -> str:
            nonlocal in_doubt
            if in_doubt and (found := await self._look_for(session, message)):
                return found
            try:
                answer = await call(
                    self._client.chat_postMessage,
                    channel=session.channel,
                    text=message.text,
                    blocks=message.blocks,
                    unfurl_links=False,
                    unfurl_media=False,
                    **_thread(session, reply_broadcast),
                )
            except (SlackRefused, SlackBusy):
                raise  # it had no effect
            except Exception:
                in_doubt = True
                raise
            return str(answer["ts"])

        return await patiently(step)

    async def _look_for(self, session: Session, message: Message) -> str:
        """The `ts` of the message, if it is there. A Slack that cannot say for long does not keep
        the message back."""
        find = partial(
            find_message,
            self._client,
            session.channel,
            message.blocks[0]["block_id"],
            thread_ts=session.thread_ts,
            since=session.created_at - _CLOCK_SKEW,
        )
        try:
            return await patiently(find, patience=_LOOK_FOR)
        except SlackUnavailable as error:
            log.warning("cannot look for a message that may have been posted: %s", error)
            return ""

    async def _update(self, channel: str, ts: str, message: Message) -> None:
        await patiently(lambda: self._update_once(channel, ts, message))

    async def _update_once(self, channel: str, ts: str, message: Message) -> None:
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

    async def _join(self, channel: str) -> bool:
        try:
            join = partial(call, self._client.conversations_join, channel=channel)
            await patiently(join, patience=_LOOK_FOR)
        except (SlackRefused, SlackUnavailable) as error:
            log.info("cannot join a channel by itself: %s", error)
            return False
        return True


def _thread(session: Session, reply_broadcast: bool) -> dict[str, object]:
    if not session.thread_ts:
        return {}
    place: dict[str, object] = {"thread_ts": session.thread_ts}
    return place | ({"reply_broadcast": True} if reply_broadcast else {})


def _filename(session: Session, number: int) -> str:
    extension = {"image/jpeg": "jpg", "image/gif": "gif"}.get(
        session.attempt(number).mime_type, "png"
    )
    return f"imagine-attempt-{number}.{extension}"
