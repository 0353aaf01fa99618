"""What is done about a job that failed too often: its owner is told where something is lost to
them, and the session goes where a person can bring it on.

    announce, generate: the failure in the thread, with its button
    finish, retire:     the owner is told what was not published; finish offers it again
    settle:             nothing: what cannot be shown is in force all the same
"""

from __future__ import annotations

import logging
from contextlib import suppress

from bot.domain.ending import final_shown, not_published, retired
from bot.domain.errors import FailureKind, SlackRefused
from bot.domain.session import Session
from bot.domain.steps import cancel_shown
from bot.domain.work import Job, JobKind, owes
from bot.flow import ReviewFlow
from bot.ports import Publisher, SessionStore
from bot.views.words import failure_words

log = logging.getLogger(__name__)


class GivingUp:
    """Ends what a session is owed without doing it."""

    def __init__(self, sessions: SessionStore, publisher: Publisher, flow: ReviewFlow) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._flow = flow

    async def give_up(self, session: Session, job: Job) -> None:
        """Raises `SlackUnavailable` where the owner could not be told: that is tried again."""
        if not owes(session, job):
            log.info("%s: nothing left to give up", job.id)
        elif job.kind is JobKind.ANNOUNCE:
            await self._flow.give_up(session, FailureKind.INTERNAL)
        elif job.kind in (JobKind.FINISH, JobKind.RETIRE) and not _is_published(session):
            await self._tell_not_published(session, job)
        else:
            await self._sessions.update(session.id, lambda s: _given_up(s, job))

    async def _tell_not_published(self, session: Session, job: Job) -> None:
        """While Slack is away, a notice would be lost: so the first message comes first."""
        words = failure_words(FailureKind.NOT_PUBLISHED)
        with suppress(SlackRefused):
            await self._publisher.show_status(_given_up(session, job, words), None)
        await self._publisher.tell_owner(session, words)
        await self._sessions.update(session.id, lambda s: _given_up(s, job, words))


def _is_published(session: Session) -> bool:
    """Also where the owner was told that it is not."""
    return bool(session.final_ts or session.error_message)


def _given_up(session: Session, job: Job, words: str = "") -> Session:
    """`words`: what the owner was told."""
    if not owes(session, job):
        return session
    match job.kind:
        case JobKind.SETTLE:
            return cancel_shown(session, job.attempt)
        case JobKind.FINISH:
            return not_published(session, words) if words else final_shown(session)
        case _:
            return retired(session)
