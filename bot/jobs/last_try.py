"""What becomes of a job that failed too often. Once Slack answers, it is tried a last time; where
that fails as well, its owner is told what is lost to them, and the session goes where a person can
bring it on.

    announce, generate: the failure in the thread, with its button
    publish, retire:    the owner is told what was not published; publish offers it again
    show_cancelled:     nothing: what cannot be shown is in force all the same

While Slack is away nothing is lost and nobody can be told, so the job waits, for as long as that
takes (`SlackUnavailable`; the queue puts it off).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from bot.domain.ending import given_up
from bot.domain.errors import FailureKind, SlackBusy, SlackShutOut, SlackUnavailable
from bot.domain.jobs import MAX_RUNS, Job, JobKind, owes
from bot.domain.session import Session
from bot.flow import ReviewFlow
from bot.ports import Publisher, SessionStore
from bot.progress.live_status import LiveStatus
from bot.views.words import not_published_words

log = logging.getLogger(__name__)

Do = Callable[[Session, Job, bool], Awaitable[None]]
"""Does the job; the last is whether an earlier run may have got somewhere."""

_LAST_TRIES = MAX_RUNS
"""Runs that try a last time. More there are only where each ended its worker."""


class GivingUp:
    """Tries what a session is owed, or ends it."""

    def __init__(
        self,
        sessions: SessionStore,
        publisher: Publisher,
        flow: ReviewFlow,
        status: LiveStatus,
    ) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._flow = flow
        self._status = status

    async def try_or_give_up(self, session: Session, job: Job, do: Do) -> None:
        """Raises `SlackUnavailable` while Slack is away."""
        if not owes(session, job):
            log.info("%s: nothing left to do", job.id)
        elif not await self._last_try(session, job, do):
            await self._give_up(await self._sessions.load(session.id), job)
        await self._show_status(session.id)

    async def _last_try(self, session: Session, job: Job, do: Do) -> bool:
        """Answers whether it worked."""
        if job.run >= MAX_RUNS + _LAST_TRIES:
            return False
        await self._show_status(session.id)
        try:
            await do(session, job, True)
        except (SlackBusy, SlackShutOut):
            raise  # that is no failure
        except Exception as error:  # noqa: BLE001 - whatever it is, the person has to know
            log.error("giving up on %s: %s", job.id, type(error).__name__)
            return False
        return True

    async def _show_status(self, session_id: str) -> None:
        if not await self._status.show_now(session_id):
            raise SlackUnavailable("the status")

    async def _give_up(self, session: Session, job: Job) -> None:
        words = ""
        if job.kind in (JobKind.ANNOUNCE, JobKind.GENERATE):
            await self._flow.give_up(session, job.candidate, FailureKind.INTERNAL)
            return
        if session.publication.is_unpublished and job.kind in (JobKind.PUBLISH, JobKind.RETIRE):
            words = not_published_words(session)
            await self._publisher.tell_owner(session, words)
        await self._sessions.update(session.id, lambda s: given_up(s, job, words))
