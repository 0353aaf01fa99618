"""What each kind of job does.

    announce: root message (first attempt), or the old draft's buttons away → queue `generate`
    generate: the review flow
    finish:   the approved image to thread and channel → the draft and the root say so

Every step asks the session first whether it is still owed, and records what it did before the
next; so a job may run twice, on any worker, and do its work once.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from bot.domain.errors import (
    FailureKind,
    QueueUnavailable,
    Refusal,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.session import Session, attempt_failed
from bot.domain.stages import Stage
from bot.domain.work import Job, JobKind
from bot.flow.live_status import LiveStatus
from bot.flow.review import ReviewFlow
from bot.ports import JobQueue, Publisher, SessionStore
from bot.views.words import failure_words

log = logging.getLogger(__name__)


_NO_CHANNEL = {"not_in_channel", "channel_not_found", "is_archived"}


class JobHandler:
    """Runs one job. Raises when the job should be tried again later."""

    def __init__(
        self,
        sessions: SessionStore,
        queue: JobQueue,
        publisher: Publisher,
        flow: ReviewFlow,
        status: LiveStatus,
        bot_name: str,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._publisher = publisher
        self._flow = flow
        self._status = status
        self._bot_name = bot_name

    async def __call__(self, job: Job, repeated: bool) -> None:
        try:
            session = await self._sessions.load(job.session_id)
        except Refusal:
            log.info("%s: the session has expired", job.id)
            return
        repeated = repeated or job.run > 0
        match job.kind:
            case JobKind.ANNOUNCE if _generating(session, job):
                await self._announce(session, job, repeated)
            case JobKind.GENERATE if _generating(session, job):
                await self._generate(session, repeated)
            case JobKind.FINISH if session.stage is Stage.FINAL and not session.final_ts:
                await self._finish(session, repeated)
            case JobKind.GENERATE | JobKind.FINISH if repeated and _newest(session, job):
                await self._show_again(session)
            case _:
                log.info("%s: nothing left to do", job.id)

    async def _announce(self, session: Session, job: Job, repeated: bool) -> None:
        ahead = await self._ahead()
        first = not session.thread_ts
        if first:
            try:
                ts = await self._publisher.post_root(session, ahead, repeated=repeated)
            except SlackRefused as error:
                await self._cannot_post(session, error)
                return
            session = await self._sessions.update(
                session.id, lambda s: replace(s, thread_ts=s.thread_ts or ts)
            )
        elif closed := await self._closed(session, ahead):
            await self._cannot_post(session, closed)
            return
        await self._queue.add(Job(JobKind.GENERATE, session.id, job.attempt, job.run))
        if not first:
            await self._retire_draft(session.id)

    async def _closed(self, session: Session, ahead: int) -> SlackRefused | None:
        """Say that another attempt is under way; answers why, where the bot has lost the channel.
        A busy Slack does not hold the attempt up."""
        try:
            await self._publisher.show_status(session, ahead)
        except SlackUnavailable as error:
            log.info("a new attempt could not be announced: %s", error)
        except SlackRefused as error:
            return error if error.code in _NO_CHANNEL else None
        return None

    async def _retire_draft(self, session_id: str) -> None:
        """Take the old draft's buttons away."""
        session = await self._sessions.load(session_id)
        draft = session.newest_draft
        if draft is None:
            return
        try:
            await self._publisher.refresh_draft(session, draft.number)
        except (SlackRefused, SlackUnavailable) as error:
            log.warning("a draft's buttons could not be taken away: %s", error)

    async def _cannot_post(self, session: Session, error: SlackRefused) -> None:
        """Nothing can be shown in this channel, so nothing is paid for."""
        absent = error.code in {"not_in_channel", "channel_not_found"}
        kind = FailureKind.NOT_IN_CHANNEL if absent else FailureKind.CHANNEL_CLOSED
        log.info("cannot post for %s: %s", session.id, error.code)
        words = failure_words(kind, bot_name=self._bot_name)
        await self._publisher.tell_owner(session, words)
        number = session.latest.number
        await self._sessions.update(
            session.id, lambda s: attempt_failed(s, number, kind, words, "", time.time())
        )

    async def _generate(self, session: Session, repeated: bool) -> None:
        async with self._status.following(session.id):
            await self._flow.run(session, repeated=repeated)

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
        """The draft and the root as the session now has them. An earlier run may have recorded
        its end without having got so far."""
        draft = session.newest_draft
        try:
            if draft is not None:
                await self._publisher.refresh_draft(session, draft.number)
        except SlackRefused as error:
            log.warning("a draft could not be shown as it is now: %s", error)
        await self._status.settle(session.id)

    async def _ahead(self) -> int:
        try:
            return len(await self._queue.waiting())
        except QueueUnavailable:
            return 0


def _generating(session: Session, job: Job) -> bool:
    return session.stage is Stage.GENERATING and _newest(session, job)


def _newest(session: Session, job: Job) -> bool:
    return job.attempt in {len(session.attempts), session.final_result}
