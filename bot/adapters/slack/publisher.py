"""`SlackPublisher`: shows sessions in Slack."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.channel_joining import ChannelJoining
from bot.adapters.slack.file_readiness import FileReadiness
from bot.adapters.slack.file_uploads import FileUploads, file_name_and_title
from bot.adapters.slack.message_poster import JOB_LEASE, MessagePoster
from bot.adapters.slack.notices import Notices
from bot.adapters.slack.pacing import SlackPacing
from bot.adapters.slack.previews import Previews
from bot.adapters.slack.web_api import call, text_in, with_retries
from bot.domain.attempt import Attempt, ImageRef
from bot.domain.errors import SlackBusy, SlackRefused, StoreTrouble
from bot.domain.images import AI_LABEL
from bot.domain.limits import Standing
from bot.domain.session import Session
from bot.domain.slack_refusals import is_about_file
from bot.ports import Priority, StillOwed
from bot.views import failure_messages, messages
from bot.views.blocks import Message, marker, without_images

log = logging.getLogger(__name__)

READY_WITHIN = 25.0
"""Seconds that Slack is given to know an uploaded file as an image (it takes 1–2)."""
_FAILED_BEFORE = 60.0
"""Seconds: a failure message that is older is that of an earlier try of the same attempt."""
_SHOWN_BEFORE = 1.0
"""Seconds for a file that a draft has shown: Slack knows it, or it was deleted."""

TightestBudget = Callable[[str, str, str], Awaitable[Standing | None]]
"""From a team, a channel and a person's key, the budget of which the least is left."""


async def _no_budget(team: str, channel: str, payer: str) -> Standing | None:
    return None


class SlackPublisher:
    """Implements `bot.ports.Publisher`. `may_read_files`: the app has the scope `files:read`.
    `tightest_budget` answers what drafts tell of the limits."""

    def __init__(
        self,
        client: AsyncWebClient,
        session: ClientSession,
        *,
        now: Callable[[], float] = time.time,
        ready_within: float = READY_WITHIN,
        ai_label: str = AI_LABEL,
        job_lease: float = JOB_LEASE,
        pacing: SlackPacing | None = None,
        may_read_files: bool = False,
    ) -> None:
        self.tightest_budget: TightestBudget = _no_budget
        self._client = client
        readiness = FileReadiness(client, may_ask=may_read_files)
        self._uploads = FileUploads(client, session, readiness)
        self._poster = MessagePoster(client, readiness, job_lease, pacing)
        self._previews = Previews(client, self._poster, self._uploads, ai_label)
        self._joining = ChannelJoining(client)
        self._notices = Notices(client, session)
        self._now = now
        self._ready_within = ready_within
        self._ai_label = ai_label

    async def post_root(
        self,
        session: Session,
        ahead: int,
        *,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        message = messages.root_message(session, ahead, self._now())
        post = partial(
            self._poster.post,
            session,
            message,
            repeated=repeated,
            tried_since=session.latest.queued_at,
            priority=Priority.ROOT,
            still_owed=still_owed,
        )
        return await self._joining.post_as_member(session, post)

    async def show_status(
        self,
        session: Session,
        ahead: int | None,
        *,
        waits_for: StoreTrouble | None = None,
        has_turn: bool = False,
    ) -> None:
        message = messages.root_message(session, ahead, self._now(), waits_for)
        channel, ts = session.channel, session.root_ts
        await self._poster.update(channel, ts, message, status=True, has_turn=has_turn)

    async def status_turn(self, priority: Priority, patience: float) -> None:
        await self._poster.update_turn(priority, patience)

    async def upload(self, session: Session, image: ImageRef, data: bytes) -> str:
        name, title = file_name_and_title(session, image, self._ai_label)
        return await with_retries(partial(self._uploads.upload, data, name, title))

    async def post_draft(
        self,
        session: Session,
        number: int,
        *,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        draft, attempt = await self._draft(session, number), session.attempt(number)
        return await self._poster.post(
            session,
            draft,
            repeated=repeated,
            tried_since=attempt.generated_at or attempt.queued_at,
            priority=Priority.DRAFT,
            still_owed=still_owed,
            ready_within=self._ready_within,
        )

    async def share(self, session: Session, image: ImageRef, data: bytes) -> None:
        log.warning("an uploaded file was not ready within %s s: shared", self._ready_within)
        place = {"channel_id": session.channel, "thread_ts": session.thread_ts}
        name, title = file_name_and_title(session, image, self._ai_label)
        await with_retries(partial(self._uploads.upload, data, name, title, **place))

    async def remove_draft(self, session: Session, number: int) -> None:
        marked, attempt = marker(session, "draft", number), session.attempt(number)
        since = attempt.generated_at or attempt.queued_at
        await self._poster.posted.remove(session, marked, attempt.message_ts, since)

    async def post_preview(self, session: Session, number: int, data: bytes) -> str:
        return await self._previews.post(session, number, data)

    async def remove_preview(self, session: Session, number: int, ts: str) -> None:
        await self._previews.remove(session, number, ts)

    async def refresh_draft(self, session: Session, number: int) -> None:
        draft = await self._draft(session, number)
        await self._update(session.channel, session.attempt(number).message_ts, draft)

    async def _draft(self, session: Session, number: int) -> Message:
        """The newest attempt's draft tells the budget of which the least is left."""
        reserved, budget = session.attempt(number).reserved, None
        if reserved and number == len(session.attempts) and not session.final_result:
            budget = await self.tightest_budget(session.team, session.channel, reserved.payer)
        return messages.draft_message(session, number, label=self._ai_label, budget=budget)

    async def refresh_failure(self, session: Session) -> None:
        if failed := session.failure_before:
            message = failure_messages.earlier_failure_message(session, failed.number)
            await self._poster.update(session.channel, failed.failure_ts, message)

    async def show_thread_status(self, session: Session) -> None:
        now, label = self._now(), self._ai_label
        if failed := session.failure_before:
            ts = failed.failure_ts
            message = failure_messages.earlier_failure_message(session, failed.number, now)
        elif draft := session.newest_draft:
            ts = draft.message_ts
            message = messages.draft_message(session, draft.number, now, label=label)
        else:
            return
        await self._poster.update(session.channel, ts, message, status=True)

    async def post_failure(
        self,
        session: Session,
        number: int,
        words: str,
        *,
        try_again: bool,
        repeated: bool,
        still_owed: StillOwed | None = None,
    ) -> str:
        message = failure_messages.failure_message(session, number, words, try_again=try_again)
        since = max(session.updated_at, session.attempt(number).started_at)
        return await self._poster.post(
            session,
            message,
            repeated=repeated,
            tried_since=since,
            priority=Priority.DRAFT,
            still_owed=still_owed,
            clocks_apart=_FAILED_BEFORE,
        )

    async def post_final(
        self,
        session: Session,
        *,
        repeated: bool,
        uploaded_anew: bool = False,
        still_owed: StillOwed | None = None,
    ) -> str:
        approved = session.attempt(session.final_result)
        link = await self._link(session, approved)
        message = messages.final_message(session, link=link, label=self._ai_label)
        return await self._poster.post(
            session,
            message,
            repeated=repeated,
            tried_since=session.updated_at,
            priority=Priority.ANSWER,
            still_owed=still_owed,
            broadcast=True,
            ready_within=self._ready_within if uploaded_anew else _SHOWN_BEFORE,
        )

    async def _update(self, channel: str, ts: str, message: Message) -> None:
        """Where the file of an image is gone, the message says so in its place."""
        try:
            await self._poster.update(channel, ts, message)
        except SlackRefused as error:
            if not is_about_file(error):
                raise
            await self._poster.update(channel, ts, without_images(message))

    async def tell_owner(
        self, session: Session, words: str, *, failed: int = 0, try_again: bool = True
    ) -> None:
        notice = failure_messages.notice_message(session, words, failed, try_again=try_again)
        await self._notices.tell(session, notice)

    async def tell_person(self, user: str, words: str) -> None:
        """After a lost answer it may have been told, so only a busy Slack is asked again."""
        telling = partial(self._notices.tell_person, user, Message(words, []))
        await with_retries(telling, on=SlackBusy)

    async def _link(self, session: Session, approved: Attempt) -> str:
        """Where the approved image is, for a message that Slack does not take it into; empty for
        one that it takes."""
        if not approved.as_file or session.final_file_id:
            return ""
        where = {"channel": session.channel, "message_ts": approved.message_ts}
        answer = await with_retries(lambda: call(self._client.chat_getPermalink, **where))
        return text_in(answer, "permalink", "chat.getPermalink")
