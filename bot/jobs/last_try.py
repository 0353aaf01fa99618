"""The last try of a job that failed too often. Where it fails as well, the owner is told, and the
session goes to a stage from which a person can go on.

    announce, generate: the failure in the thread, with its button
    publish:            the owner is told that the image was not published, and can try again
    show_cancelled:     the attempt stays cancelled, although its messages do not say so

While Slack is away nothing is lost and nobody can be told, so the job waits for Slack
(`SlackUnavailable`; the queue puts it off).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from bot.domain.errors import SlackAppBlocked, SlackBusy, SlackUnavailable
from bot.domain.jobs import MAX_RUNS, Job, JobKind, is_due
from bot.domain.publication import given_up, given_up_unpublished
from bot.domain.session import Session
from bot.domain.stages import Publication
from bot.flow import ReviewFlow, shared_store
from bot.ports import OwnerNotices, SessionRecords
from bot.progress.live_status import LiveStatus
from bot.views.slack_refusals import not_published_words

log = logging.getLogger(__name__)

Handler = Callable[[Session, Job, bool], Awaitable[None]]
"""Does a job for the session as it was loaded; the last argument is whether the job is repeated:
an earlier run may have done more than it recorded."""

_LAST_TRIES = MAX_RUNS
"""Runs that try a last time. There is more than one only where each of them ended its worker."""


class LastTry:
    """Runs a due job a last time, or ends it."""

    def __init__(
        self,
        sessions: SessionRecords,
        publisher: OwnerNotices,
        flow: ReviewFlow,
        status: LiveStatus,
    ) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._flow = flow
        self._status = status

    async def run(self, session: Session, job: Job, handle: Handler) -> None:
        """Raises `SlackUnavailable` while Slack is away."""
        if not is_due(session, job):
            log.info("%s: nothing left to do", job.id)
        elif not await self._works(session, job, handle):
            await self._give_up(await self._sessions.load(session.id), job)
        await self._show_status(session.id)

    async def _works(self, session: Session, job: Job, handle: Handler) -> bool:
        if job.run >= MAX_RUNS + _LAST_TRIES:
            return False
        await self._show_status(session.id)
        try:
            await handle(session, job, True)
        except (SlackBusy, SlackAppBlocked):
            raise  # the job waits for Slack
        except Exception as error:  # noqa: BLE001 - the person is told of any failure
            log.error("giving up on %s: %s", job.id, type(error).__name__)
            return False
        return True

    async def _give_up(self, session: Session, job: Job) -> None:
        if job.kind in (JobKind.ANNOUNCE, JobKind.GENERATE):
            shared = shared_store(session, job.candidate, repeated=True)
            await self._flow.run(shared, give_up=True)
            return
        if job.kind is JobKind.PUBLISH and session.publication is Publication.TO_PUBLISH:
            words = not_published_words(session)
            await self._publisher.tell_owner(session, words)
            await self._sessions.update(session.id, lambda s: given_up_unpublished(s, job, words))
            return
        await self._sessions.update(session.id, lambda s: given_up(s, job))

    async def _show_status(self, session_id: str) -> None:
        if not await self._status.show_now(session_id):
            raise SlackUnavailable("the status")
