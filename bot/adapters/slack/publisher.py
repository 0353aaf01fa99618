"""`SlackPublisher`: shows sessions in Slack."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.calls import call, with_retries
from bot.adapters.slack.message_poster import JOB_LEASE, MessagePoster
from bot.adapters.slack.notices import Notices
from bot.adapters.slack.previews import Previews
from bot.adapters.slack.uploads import Uploader
from bot.domain.attempt import ImageRef
from bot.domain.errors import (
    NotInChannel,
    SlackRefused,
    SlackShutOut,
    SlackUnavailable,
    StoreTrouble,
)
from bot.domain.images import AI_LABEL
from bot.domain.session import Session
from bot.views import messages
from bot.views.ai_label import ai_line

log = logging.getLogger(__name__)

_JOIN_WITHIN = 10.0
"""Seconds for Slack to let the bot into a channel."""
READY_WITHIN = 25.0
"""Seconds that Slack is given to know an uploaded file as an image (it takes 1–2)."""


class SlackPublisher:
    """Implements `bot.ports.Publisher`."""

    def __init__(
        self,
        client: AsyncWebClient,
        session: ClientSession,
        *,
        now: Callable[[], float] = time.time,
        ready_within: float = READY_WITHIN,
        ai_label: str = AI_LABEL,
        job_lease: float = JOB_LEASE,
    ) -> None:
        self._client = client
        self._poster = MessagePoster(client, job_lease)
        self._uploader = Uploader(client, session)
        self._previews = Previews(client, self._uploader, self._poster, ai_label)
        self._notices = Notices(client, session)
        self._now = now
        self._ready_within = ready_within
        self._ai_label = ai_label

    async def post_root(self, session: Session, ahead: int, *, repeated: bool) -> str:
        message = messages.root_message(session, ahead, self._now())
        try:
            return await self._poster.post(session, message, repeated=repeated)
        except SlackRefused as error:
            if error.code == "not_in_channel" and await self._join(session.channel):
                return await self._poster.post(session, message, repeated=repeated)
            if error.code in {"not_in_channel", "channel_not_found"}:
                raise NotInChannel(error.method, error.code) from error
            raise

    async def show_status(
        self, session: Session, ahead: int | None, *, waits_for: StoreTrouble | None = None
    ) -> None:
        message = messages.root_message(session, ahead, self._now(), waits_for)
        await self._poster.update_once(session.channel, session.root_ts, message)

    async def upload(self, session: Session, image: ImageRef, data: bytes) -> str:
        name, title = _filename(session, image), self._title(session, image)
        return await self._uploader.upload(data, name, title)

    async def post_draft(self, session: Session, number: int, *, repeated: bool) -> str:
        draft = messages.draft_message(session, number, live=True, label=self._ai_label)
        return await self._poster.post_file(session, draft, self._ready_within, repeated=repeated)

    async def share(self, session: Session, image: ImageRef, data: bytes) -> None:
        log.warning("an uploaded file was not ready within %s s: shared", self._ready_within)
        place = {"channel_id": session.channel, "thread_ts": session.thread_ts}
        name, title = _filename(session, image), self._title(session, image)
        await self._uploader.upload(data, name, title, **place)

    async def remove_draft(self, session: Session, number: int) -> None:
        marker = messages.draft_marker(session, number)
        await self._poster.remove(session, marker, session.attempt(number).message_ts)

    async def post_preview(self, session: Session, number: int, data: bytes) -> str:
        return await self._previews.post(session, number, data)

    async def remove_preview(self, session: Session, number: int, ts: str) -> None:
        await self._previews.remove(session, number, ts)

    async def refresh_draft(self, session: Session, number: int) -> None:
        live = messages.is_live(session, number)
        draft = messages.draft_message(session, number, live=live, label=self._ai_label)
        await self._poster.update(session.channel, session.attempt(number).message_ts, draft)

    async def post_failure(
        self, session: Session, number: int, words: str, *, edit_prompt: bool, repeated: bool
    ) -> str:
        message = messages.failure_message(session, number, words, edit_prompt=edit_prompt)
        return await self._poster.post(session, message, repeated=repeated)

    async def post_final(self, session: Session, *, repeated: bool) -> str:
        link = await self._link(session)
        message = messages.final_message(session, link=link, label=self._ai_label)
        return await self._poster.post_file(
            session, message, self._ready_within, repeated=repeated, broadcast=True
        )

    async def retire_final(self, session: Session) -> None:
        link = await self._link(session)
        message = messages.final_message(session, link=link, retired=True, label=self._ai_label)
        await self._poster.update(session.channel, session.final_ts, message)

    async def tell_owner(self, session: Session, words: str) -> None:
        await self._notices.tell(session, words)

    def _title(self, session: Session, image: ImageRef) -> str:
        """What Slack shows above a file that stands by itself, and in its list of files."""
        candidate = session.attempt(image.attempt).candidate(image.candidate)
        return f"{_filename(session, image)} · {ai_line(self._ai_label, candidate)}"

    async def _link(self, session: Session) -> str:
        """Where the approved image can be seen, if Slack does not take it into a message."""
        approved = session.attempt(session.final_result)
        if not approved.as_file:
            return ""
        where = {"channel": session.channel, "message_ts": approved.message_ts}
        answer = await with_retries(lambda: call(self._client.chat_getPermalink, **where))
        return str(answer["permalink"])

    async def _join(self, channel: str) -> bool:
        try:
            join = partial(call, self._client.conversations_join, channel=channel)
            await with_retries(join, _JOIN_WITHIN)
        except SlackShutOut:
            raise
        except (SlackRefused, SlackUnavailable) as error:
            log.info("cannot join a channel by itself: %s", error)
            return False
        return True


def _filename(session: Session, image: ImageRef) -> str:
    candidate = session.attempt(image.attempt).candidate(image.candidate)
    extension = {"image/jpeg": "jpg", "image/gif": "gif"}.get(candidate.mime_type, "png")
    which = f"-{image.candidate}" if image.candidate > 1 else ""
    return f"imagine-attempt-{image.attempt}{which}.{extension}"
