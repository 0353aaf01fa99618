"""The job that says an attempt is under way, before anything is paid for it."""

from __future__ import annotations

import logging
import time

from bot.domain.errors import (
    FailureKind,
    QueueUnavailable,
    Refusal,
    SlackRefused,
    SlackShutOut,
    SlackUnavailable,
    StoreTrouble,
)
from bot.domain.generation import announced, under_way
from bot.domain.jobs import Job, ahead_of_each, owed
from bot.domain.session import Session
from bot.domain.steps import not_announced
from bot.generation.store_retries import StoreRetries
from bot.ports import JobQueue, Publisher, SessionStore
from bot.progress.draft_refresher import Drafts
from bot.progress.session_messages import LiveStatus
from bot.views.words import failure_words, not_posted_words

log = logging.getLogger(__name__)

SHOWN_FOR = 1.0
"""Seconds for which an announcement needs no second look."""
_ABSENT = {"not_in_channel", "channel_not_found"}
_CLOSED = {"is_archived", "restricted_action", "no_permission", "cannot_reply_to_message"}
"""And all that begin with `restricted_action_`."""


class Announcement:
    """Root message (first attempt), or status and the old draft's buttons away → a `generate` job
    for each candidate."""

    def __init__(
        self,
        sessions: SessionStore,
        queue: JobQueue,
        publisher: Publisher,
        drafts: Drafts,
        status: LiveStatus,
        store_retries: StoreRetries,
        bot_name: str,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._publisher = publisher
        self._drafts = drafts
        self._status = status
        self._store_retries = store_retries
        self._bot_name = bot_name

    async def make(self, session: Session, job: Job, repeated: bool) -> None:
        ahead = await self._ahead()
        try:
            if session.root_ts:
                await self._show(session, ahead)
                root_ts = ""
            else:
                root_ts = await self._publisher.post_root(session, ahead, repeated=repeated)
        except SlackRefused as error:
            await self._cannot_post(session, error)
            return
        session = await self._sessions.update(
            session.id, lambda s: announced(s, job.attempt, root_ts)
        )
        if not under_way(session, job.attempt):
            log.info("%s: cancelled meanwhile", job.id)
            await self._status.show_now(session.id)
            return
        log.info("announced", extra={"ahead": ahead})
        for generation in owed(session):
            await self._queue_generation(generation)
        if job.attempt > 1:
            await self._drafts.refresh(session.id)  # what was up for review is an earlier draft now

    async def _queue_generation(self, job: Job) -> None:
        """A full queue is waited for, and its owner is told; one that is away fails this job."""
        try:
            await self._queue.add(job)
        except QueueUnavailable as error:
            if error.trouble is StoreTrouble.AWAY:
                raise
            async with self._status.following(job.session_id):
                await self._store_retries.until_taken(job.session_id, lambda: self._queue.add(job))

    async def can_still_be_shown(self, session: Session) -> bool:
        """Before a generation that has waited: whether Slack still takes the status, so that what
        is paid for can be shown. Where it does not, its owner is told. Raises `SlackShutOut`."""
        attempt = session.latest
        if attempt.started_at or time.time() - attempt.queued_at < SHOWN_FOR:
            return True
        try:
            await self._show(session, None)
        except SlackRefused as error:
            await self._cannot_post(session, error)
            return False
        return True

    async def _show(self, session: Session, ahead: int | None) -> None:
        """Say that another attempt is under way. Raises `SlackRefused`, and `SlackShutOut`; a Slack
        that is busy or away does not hold the attempt up."""
        try:
            await self._publisher.show_status(session, ahead)
        except SlackShutOut:
            raise
        except SlackUnavailable as error:
            log.warning("a new attempt could not be announced: %s", error)

    async def _cannot_post(self, session: Session, error: SlackRefused) -> None:
        """What cannot be announced may not be shown either, so nothing is paid for."""
        kind = _kind_of(session, error)
        log.warning("an attempt cannot be announced: %s", error)
        number, ts = session.latest.number, ""
        words = failure_words(kind, bot_name=self._bot_name, channel=session.channel)
        if kind is FailureKind.NOT_SHOWN:
            ts = await self._post_failure(session, number, words)
        if not ts:
            told = not_posted_words(kind, session, self._bot_name)
            await self._publisher.tell_owner(session, told)
        try:
            await self._sessions.update(
                session.id,
                lambda s: not_announced(s, number, kind, words, ts, time.time()),
            )
        except Refusal:
            log.info("attempt %s was cancelled meanwhile", number)

    async def _post_failure(self, session: Session, number: int, words: str) -> str:
        """Answers the `ts`, empty where Slack does not take that either."""
        try:
            return await self._publisher.post_failure(
                session, number, words, edit_prompt=False, repeated=True
            )
        except SlackRefused as error:
            log.warning("a failure could not be shown in its thread: %s", error.code)
            return ""

    async def _ahead(self) -> int:
        try:
            return len(ahead_of_each(await self._queue.waiting()))
        except QueueUnavailable:
            return 0


def _kind_of(session: Session, error: SlackRefused) -> FailureKind:
    """What Slack refuses of a root message that is there concerns that message, unless the code
    names the channel."""
    if error.code in _ABSENT:
        return FailureKind.NOT_IN_CHANNEL
    of_channel = error.code in _CLOSED or error.code.startswith("restricted_action_")
    if of_channel or not session.root_ts:
        return FailureKind.CHANNEL_CLOSED
    return FailureKind.NOT_SHOWN
