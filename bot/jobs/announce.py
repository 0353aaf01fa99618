"""The job that says an attempt is under way, before anything is paid for it."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import NamedTuple

from bot.domain.errors import (
    NoLongerOwed,
    QueueUnavailable,
    SlackAppBlocked,
    SlackRefused,
    SlackUnavailable,
    StoreTrouble,
)
from bot.domain.failures import FailureKind
from bot.domain.generation import announced, is_generating, not_announced
from bot.domain.jobs import Job, ahead_of_each, due_jobs, jobs_of
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import announcement_failure
from bot.generation.recording import RetryingStore
from bot.jobs.budget_notices import BudgetNotices
from bot.ports import JobQueue, Publisher, SessionRecords
from bot.progress.draft_refresher import DraftRefresher
from bot.progress.live_status import LiveStatus
from bot.views.failure_words import failure_words, not_posted_words

log = logging.getLogger(__name__)

SHOWN_FOR = 1.0
"""Seconds after which Slack is asked again whether it takes the status."""


class Announcement(NamedTuple):
    """`is_failed`: Slack refuses it, and the attempt has failed; or it was ended, or announced by
    another run, while it waited for its turn. `root_ts` is the root message, where this one is
    new."""

    is_failed: bool = False
    root_ts: str = ""


class RootMessage:
    """Announces an attempt in the message at the top of its thread. An attempt that cannot be
    announced may not be shown either, so it fails before anything is paid for."""

    def __init__(self, sessions: SessionRecords, publisher: Publisher, bot_name: str) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._bot_name = bot_name

    async def announce(self, session: Session, ahead: int | None, repeated: bool) -> Announcement:
        """Post the message, or show in it that another attempt is under way; a Slack that is busy
        or away does not hold that up. Raises `SlackAppBlocked`."""
        try:
            if not session.root_ts:
                owed = partial(self._is_owed, session.id, session.latest.number)
                ts = await self._publisher.post_root(
                    session, ahead or 0, repeated=repeated, still_owed=owed
                )
                return Announcement(root_ts=ts)
            await self._publisher.show_status(session, ahead)
        except SlackRefused as error:
            await self._fail(session, error)
            return Announcement(is_failed=True)
        except NoLongerOwed:
            log.info("a root message is no longer owed")
            return Announcement(is_failed=True)
        except SlackAppBlocked:
            raise
        except SlackUnavailable as error:
            if not session.root_ts:
                raise
            log.warning("a new attempt could not be announced: %s", error)
        return Announcement()

    async def _is_owed(self, session_id: str, number: int) -> bool:
        session = await self._sessions.load(session_id)
        return not session.root_ts and is_generating(session, number)

    async def can_still_be_shown(self, session: Session) -> bool:
        """Whether Slack still takes the status of an attempt that has waited, so that a paid image
        can be shown. Where it does not, the attempt fails. Raises `SlackAppBlocked`."""
        attempt = session.latest
        if attempt.has_started or time.time() - attempt.queued_at < SHOWN_FOR:
            return True
        if not session.root_ts:
            return True
        announcement = await self.announce(session, None, repeated=True)
        return not announcement.is_failed

    async def _fail(self, session: Session, error: SlackRefused) -> None:
        """Tell the owner, in the thread where the root message alone is refused, else in
        private."""
        kind = announcement_failure(error, session.place, has_root=bool(session.root_ts))
        log.warning("an attempt cannot be announced: %s", error)
        number, ts = session.latest.number, ""
        made = bool(session.latest.images)
        words = failure_words(kind, bot_name=self._bot_name, channel=session.channel, made=made)
        if kind is FailureKind.NOT_SHOWN:
            try:
                ts = await self._publisher.post_failure(
                    session, number, words, try_again=True, repeated=True
                )
            except SlackRefused as refused:
                log.warning("a failure could not be shown in its thread: %s", refused.code)
        if not ts:
            told = not_posted_words(kind, session, self._bot_name)
            await self._publisher.tell_owner(session, told, failed=number if made else 0)
        try:
            await self._sessions.update(
                session.id, lambda s: not_announced(s, number, kind, words, ts, time.time())
            )
        except Refusal:
            log.info("attempt %s was cancelled meanwhile", number)


class Announce:
    """Root message (first attempt), or status and the old draft's buttons away → a `generate` job
    for each candidate."""

    def __init__(
        self,
        sessions: RetryingStore,
        queue: JobQueue,
        root: RootMessage,
        drafts: DraftRefresher,
        status: LiveStatus,
        budget_notices: BudgetNotices | None = None,
    ) -> None:
        self._budget_notices = budget_notices
        self._sessions = sessions
        self._queue = queue
        self._root = root
        self._drafts = drafts
        self._status = status

    async def __call__(self, session: Session, job: Job, repeated: bool) -> None:
        if not is_generating(session, job.attempt):
            log.info("%s: nothing left to announce", job.id)
            if repeated:
                await self._drafts.refresh(session.id, before=job.attempt)
            return
        try:
            _, first, *_ = jobs_of(session, session.latest)
            places = ahead_of_each(await self._queue.waiting(first))
            ahead = places.get((session.id, job.attempt), 0)
        except QueueUnavailable:
            ahead = 0
        announcement = await self._root.announce(session, ahead, repeated)
        if announcement.is_failed:
            return
        session = await self._sessions.update(
            session.id, lambda s: announced(s, job.attempt, announcement.root_ts)
        )
        if not is_generating(session, job.attempt):
            log.info("%s: cancelled meanwhile", job.id)
            await self._status.show_now(session.id)
            return
        log.info("announced", extra={"ahead": ahead})
        await self._queue_generations(session)
        if job.attempt > 1:
            await self._drafts.refresh(session.id)  # the draft up for review is an earlier one now
        if self._budget_notices is not None:
            await self._budget_notices.tell(session)

    async def _queue_generations(self, session: Session) -> None:
        """Queue the jobs. A full queue is waited for, and the status says so; a queue that is away
        fails this job."""
        for job in due_jobs(session):
            try:
                await self._queue.add(job)
            except QueueUnavailable as error:
                if error.trouble is StoreTrouble.AWAY:
                    raise
                async with self._status.following(session.id):
                    await self._sessions.until_taken(session.id, partial(self._queue.add, job))
