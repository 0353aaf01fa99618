"""Hands a job to the handler of its kind.

    announce        root message (first attempt), or the old draft's buttons away → queue `generate`
    generate        the review flow, for one candidate
    show_cancelled  running jobs are stopped → the root and the draft say so
    publish         the approved image to thread and channel → the drafts and the root say so
    show_discard    the drafts and the root say that the session was discarded, or restored

Every handler checks first whether the job is still due, and records each step before
the next. So a job may run twice, on any worker, and its work is done once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress

from bot.domain.app_blocked import UNINSTALLED, may_tell_owner, record_owner_notified
from bot.domain.errors import SlackAppBlocked, SlackRefused, SlackUnavailable
from bot.domain.jobs import Job, JobKind
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.jobs.last_try import Handler, LastTry
from bot.jobs.slack_breaker import SlackBreaker
from bot.ports import OwnerNotices, SessionRecords
from bot.views.words import APP_BLOCKED

log = logging.getLogger(__name__)


class JobDispatcher:
    """Runs one job. Raises when the job should be tried again later."""

    def __init__(
        self,
        sessions: SessionRecords,
        handlers: Mapping[JobKind, Handler],
        last_try: LastTry,
        breaker: SlackBreaker,
        publisher: OwnerNotices,
    ) -> None:
        self._sessions = sessions
        self._handlers = handlers
        self._last_try = last_try
        self._breaker = breaker
        self._publisher = publisher

    async def __call__(self, job: Job, repeated: bool) -> None:
        try:
            session = await self._sessions.load(job.session_id)
        except Refusal:
            log.info("%s: the session has expired", job.id)
            return
        handle = self._handlers[job.kind]
        try:
            await self._breaker.require_access(paid=False)
            if job.gives_up:
                await self._last_try.run(session, job, handle)
            else:
                await handle(session, job, repeated or job.run > 0)
        except SlackAppBlocked as error:
            if error.code not in UNINSTALLED:
                await self._notify_owner_of_block(session)
            raise

    async def _notify_owner_of_block(self, session: Session) -> None:
        """Tell the owner once for each attempt, by the `response_url`, which works without a token.
        This is tried once, with any result: a job that waits comes here again and again."""
        if not may_tell_owner(session):
            return
        is_first = False

        def record(current: Session) -> Session:
            nonlocal is_first
            is_first = may_tell_owner(current)
            return record_owner_notified(current)

        await self._sessions.update(session.id, record)
        if is_first:
            with suppress(SlackUnavailable, SlackRefused):
                await self._publisher.tell_owner(session, APP_BLOCKED)
