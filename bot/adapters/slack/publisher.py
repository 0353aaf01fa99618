"""`SlackPublisher`: shows sessions in Slack."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.message_poster import JOB_LEASE, MessagePoster
from bot.adapters.slack.notices import Notices
from bot.adapters.slack.previews import Previews
from bot.adapters.slack.web_api import call, with_retries
from bot.domain.attempt import Attempt, ImageRef
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
from bot.views.blocks import marker
from bot.views.captions import ai_line

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
        self._poster = MessagePoster(client, session, job_lease)
        self._previews = Previews(client, self._poster, ai_label)
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
        await self._poster.update(session.channel, session.root_ts, message, patience=0)

    async def upload(self, session: Session, image: ImageRef, data: bytes) -> str:
        name, title = self._name_and_title(session, image)
        return await with_retries(partial(self._poster.upload, data, name, title))

    async def post_draft(self, session: Session, number: int, *, repeated: bool) -> str:
        draft = messages.draft_message(session, number, label=self._ai_label)
        return await self._poster.post(
            session, draft, repeated=repeated, ready_within=self._ready_within
        )

    async def share(self, session: Session, image: ImageRef, data: bytes) -> None:
        log.warning("an uploaded file was not ready within %s s: shared", self._ready_within)
        place = {"channel_id": session.channel, "thread_ts": session.thread_ts}
        name, title = self._name_and_title(session, image)
        await with_retries(partial(self._poster.upload, data, name, title, **place))

    async def remove_draft(self, session: Session, number: int) -> None:
        marked = marker(session, "draft", number)
        await self._poster.remove(session, marked, session.attempt(number).message_ts)

    async def post_preview(self, session: Session, number: int, data: bytes) -> str:
        return await self._previews.post(session, number, data)

    async def remove_preview(self, session: Session, number: int, ts: str) -> None:
        await self._previews.remove(session, number, ts)

    async def refresh_draft(self, session: Session, number: int) -> None:
        draft = messages.draft_message(session, number, label=self._ai_label)
        await self._poster.update(session.channel, session.attempt(number).message_ts, draft)

    async def post_failure(
        self, session: Session, number: int, words: str, *, edit_prompt: bool, repeated: bool
    ) -> str:
        message = messages.failure_message(session, number, words, edit_prompt=edit_prompt)
        return await self._poster.post(session, message, repeated=repeated)

    async def post_final(self, session: Session, *, repeated: bool) -> str:
        approved = session.attempt(session.final_result)
        link = await self._permalink(session, approved) if approved.as_file else ""
        message = messages.final_message(session, link=link, label=self._ai_label)
        return await self._poster.post(
            session, message, repeated=repeated, broadcast=True, ready_within=self._ready_within
        )

    async def retire_final(self, session: Session) -> None:
        approved = session.attempt(session.final_result)
        link = await self._permalink(session, approved) if approved.as_file else ""
        message = messages.final_message(session, link=link, retired=True, label=self._ai_label)
        await self._poster.update(session.channel, session.final_ts, message)

    async def tell_owner(self, session: Session, words: str) -> None:
        await self._notices.tell(session, words)

    def _name_and_title(self, session: Session, image: ImageRef) -> tuple[str, str]:
        """The file's name, and what Slack shows above a file that stands by itself, and in its list
        of files."""
        candidate = session.attempt(image.attempt).candidate(image.candidate)
        extension = {"image/jpeg": "jpg", "image/gif": "gif"}.get(candidate.mime_type, "png")
        suffix = f"-{image.candidate}" if image.candidate > 1 else ""
        name = f"imagine-attempt-{image.attempt}{suffix}.{extension}"
        return name, f"{name} · {ai_line(self._ai_label, candidate)}"

    async def _permalink(self, session: Session, approved: Attempt) -> str:
        """Where the approved image is, for a message that Slack does not take it into."""
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
