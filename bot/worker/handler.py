"""What each kind of job does.

    announce: root message (first attempt), or the old draft's buttons away → queue `generate`
    generate: the review flow
    settle:   after a cancel: what still runs is stopped → the root and the draft say so
    finish:   the approved image to thread and channel → the drafts and the root say so

Every step asks the session first whether it is still owed, and records what it did before the
next; so a job may run twice, on any worker, and do its work once.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.domain.errors import FailureKind, QueueUnavailable, Refusal, SlackRefused
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.steps import cancel_shown
from bot.domain.work import Job, JobKind, owed
from bot.flow.drafts import Drafts
from bot.flow.live_status import LiveStatus
from bot.flow.shared import under_way, was_cancelled
from bot.ports import Cancellations, JobQueue, JobState, Publisher, SessionStore
from bot.views.words import failure_words
from bot.worker.announcement import Announcement
from bot.worker.generations import Generations

log = logging.getLogger(__name__)


class JobHandler:
    """Runs one job. Raises when the job should be tried again later."""

    def __init__(
        self,
        sessions: SessionStore,
        queue: JobQueue,
        cancellations: Cancellations,
        publisher: Publisher,
        generations: Generations,
        status: LiveStatus,
        bot_name: str,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._cancellations = cancellations
        self._publisher = publisher
        self._generations = generations
        self._status = status
        self._drafts = Drafts(sessions, publisher)
        self._announcement = Announcement(
            sessions, queue, publisher, self._drafts, status, bot_name
        )

    async def __call__(self, job: Job, repeated: bool) -> None:
        try:
            session = await self._sessions.load(job.session_id)
        except Refusal:
            log.info("%s: the session has expired", job.id)
            return
        repeated = repeated or job.run > 0
        match job.kind:
            case JobKind.ANNOUNCE if under_way(session, job.attempt):
                await self._announcement.make(session, job, repeated)
            case JobKind.GENERATE if under_way(session, job.attempt):
                await self._generations.run(session, repeated=repeated)
            case JobKind.GENERATE if repeated and was_cancelled(session, job.attempt):
                await self._generations.clear_away(session.id, job.attempt)
            case JobKind.SETTLE if _to_settle(session, job):
                await self._settle(session, job)
            case JobKind.FINISH if session.stage is Stage.FINAL and not session.final_ts:
                await self._finish(session, repeated)
            case JobKind.GENERATE | JobKind.FINISH if repeated and _newest(session, job):
                await self._show_again(session)
            case _:
                log.info("%s: nothing left to do", job.id)

    async def _settle(self, session: Session, job: Job) -> None:
        await self._cancellations.send(session.id)
        if session.latest.started_at and await self._is_gone(job):
            await self._generations.clear_away(session.id, job.attempt)
        else:
            await self._generations.call_off(session.id, job.attempt)  # its worker may be dead
        await self._status.settle(session.id)
        await self._drafts.refresh(session.id)
        await self._sessions.update(
            session.id, lambda s: cancel_shown(s, job.attempt) if _to_settle(s, job) else s
        )

    async def _is_gone(self, job: Job) -> bool:
        """Whether the generation was taken out of the queue between two runs: then no worker has
        it, and nobody else clears up after it."""
        try:
            return await self._queue.state(replace(job, kind=JobKind.GENERATE)) is JobState.GONE
        except QueueUnavailable:
            return False

    async def _finish(self, session: Session, repeated: bool) -> None:
        try:
            ts = await self._publisher.post_final(session, repeated=repeated)
        except SlackRefused as error:
            log.warning("an approved image could not be published: %s", error)
            words = failure_words(FailureKind.NOT_PUBLISHED)
            await self._publisher.tell_owner(session, words)
            await self._sessions.update(session.id, lambda s: replace(s, error_message=words))
            return
        session = await self._sessions.update(
            session.id, lambda s: replace(s, final_ts=s.final_ts or ts)
        )
        await self._show_again(session)

    async def _show_again(self, session: Session) -> None:
        """The drafts and the root as the session now has them, and no preview. An earlier run may
        have recorded its end without having got so far."""
        await self._generations.clear_preview(session)
        await self._drafts.refresh(session.id)
        await self._status.settle(session.id)


def _to_settle(session: Session, job: Job) -> bool:
    due = owed(session)
    return due is not None and (due.kind, due.attempt) == (JobKind.SETTLE, job.attempt)


def _newest(session: Session, job: Job) -> bool:
    return job.attempt in {len(session.attempts), session.final_result}
