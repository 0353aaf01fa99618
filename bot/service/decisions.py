"""Decisions of a person that begin no attempt, and the jobs that follow from any decision."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bot.domain import discard, transitions
from bot.domain.attempt import ImageRef
from bot.domain.errors import QueueUnavailable
from bot.domain.jobs import JobKind, due_jobs, jobs_of
from bot.domain.policy import Person
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import Cancellations, JobQueue, SessionLists
from bot.service.access import AccessControl, RequestOrigin
from bot.telemetry.context import prompt_fields, set_log_fields
from bot.views.words import CANCELLED

log = logging.getLogger(__name__)

_RECENT = 20
"""How many of the sessions that changed last are searched for one that was just stopped."""
_RECEIVED = {
    JobKind.ANNOUNCE: "an attempt is asked for",
    JobKind.GENERATE: "an attempt is asked for",
    JobKind.SHOW_CANCELLED: "the attempt is cancelled",
    JobKind.PUBLISH: "an image is approved",
    JobKind.SHOW_DISCARD: "the session is discarded or restored",
}


class Decisions:
    """Each method moves the session by compare-and-set, or raises `Refusal` and changes nothing.
    When it returns, the decision is stored: the caller may ack, and then calls
    `JobScheduler.queue_due`. Should the process die between the two, the sweeper queues the job."""

    def __init__(
        self, sessions: SessionLists, access: AccessControl, now: Callable[[], float]
    ) -> None:
        self._sessions = sessions
        self._access = access
        self._now = now

    async def approve(self, session_id: str, image: ImageRef, person: Person) -> Session:
        await self._access.await_recorded(session_id, image.attempt, person)
        return await self._sessions.update(
            session_id, lambda s: transitions.approve(s, image, person.user, self._now())
        )

    async def use_earlier(self, session_id: str, image: ImageRef, person: Person) -> Session:
        await self._access.require_allowed(session_id, person)
        return await self._sessions.update(
            session_id, lambda s: transitions.use_earlier(s, image, person.user, self._now())
        )

    async def cancel(
        self, session_id: str, image: ImageRef, person: Person, idempotency_key: str = ""
    ) -> Session:
        """Stop the attempt that is being generated. `JobScheduler.queue_due` tells its workers."""
        await self._access.require_allowed(session_id, person)
        number, key = image.attempt, idempotency_key

        def change(session: Session) -> Session:
            return transitions.cancel(session, number, CANCELLED, self._now(), key, person.user)

        return await self._sessions.update(session_id, change)

    async def discard(
        self, session_id: str, image: ImageRef, person: Person, idempotency_key: str = ""
    ) -> Session:
        """End the session without an approval, when the attempt of `image` is the newest. An
        attempt that is being made is cancelled."""
        await self._access.require_allowed(session_id, person)
        number, key = image.attempt, idempotency_key

        def change(session: Session) -> Session:
            now = self._now()
            return discard.discard(session, number, person.user, CANCELLED, now, key)

        return await self._sessions.update(session_id, change)

    async def undo_discard(self, session_id: str, image: ImageRef, person: Person) -> Session:
        await self._access.require_allowed(session_id, person)
        return await self._sessions.update(
            session_id, lambda s: discard.undo_discard(s, person.user, self._now())
        )

    async def cancel_newest(self, origin: RequestOrigin) -> tuple[Session, int]:
        """Stop a person's newest attempt that is being generated, one in this channel first.
        Returns how many others go on. The same request, delivered twice, stops one. Raises
        `Refusal(NOTHING_TO_CANCEL)`."""
        entries = await self._sessions.summaries_of(origin.team, origin.owner)
        ids = [e.session_id for e in entries[:_RECENT] if e.stage is not Stage.GENERATING]
        ids += [e.session_id for e in entries if e.stage is Stage.GENERATING]
        loaded = await self._sessions.load_many(ids)
        running = [session for session in loaded if session.stage is Stage.GENERATING]
        if stopped := stopped_by(loaded, origin):
            return stopped, len(running)
        if not running:
            raise Refusal(Reason.NOTHING_TO_CANCEL, origin.person.user)
        newest = max(running, key=lambda s: (s.channel == origin.channel, s.latest.queued_at))
        return await self.cancel_latest(newest, origin), len(running) - 1

    async def cancel_latest(self, session: Session, origin: RequestOrigin) -> Session:
        image = ImageRef(len(session.attempts))
        return await self.cancel(session.id, image, origin.person, origin.session_id())


class JobScheduler:
    """Queues the jobs that are due after a person's decision."""

    def __init__(self, queue: JobQueue, cancellations: Cancellations) -> None:
        self._queue = queue
        self._cancellations = cancellations

    async def queue_due(self, session: Session) -> None:
        """Queue the session's next jobs. Never raises: the sweeper queues what was not queued."""
        for job in due_jobs(session):
            set_log_fields(session.id, attempt=job.attempt)
            attempt = session.attempt(job.attempt)
            starts = job.kind is JobKind.ANNOUNCE
            words = prompt_fields(prompt=attempt.prompt, change=attempt.change) if starts else {}
            log.info("received: %s", _RECEIVED[job.kind], extra=words)
            try:
                if job.kind is JobKind.SHOW_CANCELLED:
                    await self._stop(session)
                await self._queue.add(job)
            except QueueUnavailable:
                log.warning("the queue is away: the sweeper will queue %s", job.id)

    async def _stop(self, session: Session) -> None:
        """End the cancelled attempt at its workers and in the queue."""
        await self._cancellations.send(session.id)
        for job in reversed(jobs_of(session, session.latest)):
            await self._queue.remove(job)


def stopped_by(sessions: list[Session], origin: RequestOrigin) -> Session | None:
    """The session that the same request has stopped before."""
    idempotency_key = origin.session_id()
    return next(
        (s for s in sessions if any(a.cancelled_by == idempotency_key for a in s.attempts)), None
    )
