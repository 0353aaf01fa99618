"""What each kind of job does.

    announce        root message (first attempt), or the old draft's buttons away → queue `generate`
    generate        the review flow, for one candidate
    show_cancelled  what still runs is stopped → the root and the draft say so
    publish         the approved image to thread and channel → the drafts and the root say so
    retire          the final message loses its button → what was shown is forgotten

A job that gives up tries it a last time (`bot.jobs.last_try`).

Every step asks the session first whether it is still owed, and records what it did before the
next; so a job may run twice, on any worker, and do its work once.
"""

from __future__ import annotations

import logging

from bot.domain.ending import (
    as_approved,
    final_posted,
    final_shown,
    not_published,
    publish_is_due,
    retired,
)
from bot.domain.errors import (
    QueueUnavailable,
    Refusal,
    SlackRefused,
    SlackShutOut,
    SlackUnavailable,
)
from bot.domain.generation import under_way, was_cancelled
from bot.domain.jobs import Job, JobKind, jobs_of, owes
from bot.domain.publication import Publication
from bot.domain.session import Session
from bot.domain.steps import cancel_shown
from bot.generation.store_retries import StoreRetries
from bot.jobs.announce import Announcement
from bot.jobs.generate import GenerationRunner
from bot.jobs.last_try import GivingUp
from bot.jobs.shut_out_notice import ShutOutNotice
from bot.jobs.slack_breaker import SlackBreaker
from bot.ports import Cancellations, JobQueue, JobState, Publisher, SessionStore
from bot.progress.draft_refresher import Drafts
from bot.progress.live_status import LiveStatus
from bot.views.words import not_published_words

log = logging.getLogger(__name__)


class JobHandler:
    """Runs one job. Raises when the job should be tried again later."""

    def __init__(
        self,
        sessions: SessionStore,
        queue: JobQueue,
        cancellations: Cancellations,
        publisher: Publisher,
        generations: GenerationRunner,
        giving_up: GivingUp,
        status: LiveStatus,
        store_retries: StoreRetries,
        breaker: SlackBreaker,
        bot_name: str,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._cancellations = cancellations
        self._publisher = publisher
        self._generations = generations
        self._giving_up = giving_up
        self._status = status
        self._breaker = breaker
        self._notice = ShutOutNotice(sessions, publisher)
        self._drafts = Drafts(sessions, publisher)
        self._announcement = Announcement(
            sessions, queue, publisher, self._drafts, status, store_retries, bot_name
        )

    async def __call__(self, job: Job, repeated: bool) -> None:
        try:
            session = await self._sessions.load(job.session_id)
        except Refusal:
            log.info("%s: the session has expired", job.id)
            return
        try:
            await self._breaker.require_not_open()
            await self._try(session, job, repeated or job.run > 0)
        except SlackShutOut:
            await self._notice.tell(session)
            raise

    async def _try(self, session: Session, job: Job, repeated: bool) -> None:
        if job.gives_up:
            await self._giving_up.try_or_give_up(session, job, self._do)
        else:
            await self._do(session, job, repeated)

    async def _do(self, session: Session, job: Job, repeated: bool) -> None:
        match job.kind:
            case JobKind.ANNOUNCE if under_way(session, job.attempt):
                await self._announcement.make(session, job, repeated)
            case JobKind.ANNOUNCE if repeated:
                await self._drafts.refresh_before(session.id, job.attempt)
            case JobKind.GENERATE if owes(session, job):
                if await self._announcement.can_still_be_shown(session):
                    await self._generations.run(session, job.candidate, repeated=repeated)
            case JobKind.GENERATE if repeated and was_cancelled(session, job.attempt):
                await self._generations.clear_away(session.id, job.attempt)
            case JobKind.SHOW_CANCELLED if owes(session, job):
                await self._show_cancelled(session, job)
            case JobKind.PUBLISH if publish_is_due(session, job.run):
                await self._publish_and_show(session, repeated)
            case JobKind.RETIRE if session.publication.is_retiring:
                await self._retire(session)
            case JobKind.GENERATE if repeated and _has_delivered(session, job):
                await self._show_again(session)
            case _:
                log.info("%s: nothing left to do", job.id)

    async def _show_cancelled(self, session: Session, job: Job) -> None:
        await self._cancellations.send(session.id)
        if session.latest.started_at and await self._is_gone(session):
            await self._generations.clear_away(session.id, job.attempt)
        else:
            await self._generations.call_off(session.id, job.attempt)  # its worker may be dead
        await self._status.show_now(session.id)
        await self._drafts.refresh(session.id)
        await self._sessions.update(
            session.id, lambda s: cancel_shown(s, job.attempt) if owes(s, job) else s
        )
        log.info("the cancellation is shown")

    async def _is_gone(self, session: Session) -> bool:
        """Whether the generation that shows how the attempt stands was taken out of the queue
        between two runs: then no worker has it, and nobody else clears up after it."""
        attempt = session.latest
        generation = jobs_of(session, attempt)[attempt.at_work]
        try:
            return await self._queue.state(generation) is JobState.GONE
        except QueueUnavailable:
            return False

    async def _publish_and_show(self, session: Session, repeated: bool) -> None:
        session = await self._publish(session, repeated)
        await self._show_again(session)
        await self._sessions.update(session.id, final_shown)

    async def _publish(self, session: Session, repeated: bool) -> Session:
        """Post the approved image, unless an earlier run did, or said that it cannot be."""
        if not session.publication.is_unpublished:
            return session
        try:
            ts = await self._publisher.post_final(as_approved(session), repeated=repeated)
        except SlackRefused as error:
            log.warning("an approved image could not be published: %s", error)
            words = not_published_words(session)
            await self._publisher.tell_owner(session, words)
            return await self._sessions.update(session.id, lambda s: not_published(s, words))
        session = await self._sessions.update(session.id, lambda s: final_posted(s, ts))
        log.info("published")
        return session

    async def _retire(self, session: Session) -> None:
        """Start over takes nothing back: an approval that was not published yet, or not shown, is
        so first. What could not be published offers nothing any more."""
        session = await self._publish(session, repeated=True)
        if session.publication is not Publication.RETIRING:
            await self._show_again(session)
        if session.final_ts:
            await self._take_start_over_off(as_approved(session))
        await self._sessions.update(session.id, retired)
        log.info("retired")

    async def _take_start_over_off(self, session: Session) -> None:
        try:
            await self._publisher.retire_final(session)
        except SlackRefused as error:
            log.warning("Start over could not be taken off the approved image: %s", error)

    async def _show_again(self, session: Session) -> None:
        """The drafts and the root as the session now has them, and no preview. An earlier run may
        have recorded its end without having got so far."""
        await self._generations.clear_preview(session)
        await self._drafts.refresh(session.id)
        if not await self._status.show_now(session.id):
            raise SlackUnavailable("the status")


def _has_delivered(session: Session, job: Job) -> bool:
    """The newest attempt has ended, and this job's candidate brought what came of it."""
    if job.attempt != len(session.attempts) or under_way(session, job.attempt):
        return False
    return session.latest.delivering in (0, job.candidate)
