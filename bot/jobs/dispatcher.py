"""Hands a job to the handler of its kind.

    announce        root message (first attempt), or the old draft's buttons away → queue `generate`
    generate        the review flow, for one candidate
    show_cancelled  what still runs is stopped → the root and the draft say so
    publish         the approved image to thread and channel → the drafts and the root say so
    retire          the final message loses its button → what was shown is forgotten

Every handler checks first whether the session is still owed the job, and records each step before
the next. So a job may run twice, on any worker, and its work is done once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from bot.domain.errors import Refusal, SlackShutOut
from bot.domain.jobs import Job, JobKind
from bot.domain.shut_out import UNINSTALLED
from bot.jobs.last_try import Handler, LastTry
from bot.jobs.shut_out_notice import ShutOutNotice
from bot.jobs.slack_breaker import SlackBreaker
from bot.ports import SessionRecords

log = logging.getLogger(__name__)


class JobDispatcher:
    """Runs one job. Raises when the job should be tried again later."""

    def __init__(
        self,
        sessions: SessionRecords,
        handlers: Mapping[JobKind, Handler],
        last_try: LastTry,
        breaker: SlackBreaker,
        notice: ShutOutNotice,
    ) -> None:
        self._sessions = sessions
        self._handlers = handlers
        self._last_try = last_try
        self._breaker = breaker
        self._notice = notice

    async def __call__(self, job: Job, repeated: bool) -> None:
        try:
            session = await self._sessions.load(job.session_id)
        except Refusal:
            log.info("%s: the session has expired", job.id)
            return
        handle = self._handlers[job.kind]
        try:
            await self._breaker.require_not_open()
            if job.gives_up:
                await self._last_try.run(session, job, handle)
            else:
                await handle(session, job, repeated or job.run > 0)
        except SlackShutOut as error:
            if error.code not in UNINSTALLED:
                await self._notice.tell(session)
            raise
