"""What follows from a decision: the session's next job."""

from __future__ import annotations

import logging

from bot.domain.errors import QueueUnavailable
from bot.domain.jobs import Job, JobKind, jobs_of, owed
from bot.domain.session import Session
from bot.ports import Cancellations, JobQueue
from bot.telemetry.context import prompt_fields, set_log_fields

log = logging.getLogger(__name__)

_RECEIVED = {
    JobKind.ANNOUNCE: "an attempt is asked for",
    JobKind.GENERATE: "an attempt is asked for",
    JobKind.SHOW_CANCELLED: "the attempt is cancelled",
    JobKind.PUBLISH: "an image is approved",
    JobKind.RETIRE: "the session is started over",
}


class OwedJobs:
    """Queues what a session is owed after a person's decision."""

    def __init__(self, queue: JobQueue, cancellations: Cancellations) -> None:
        self._queue = queue
        self._cancellations = cancellations

    async def queue_owed(self, session: Session) -> None:
        """Queue the session's next jobs. Never raises: the sweeper queues what was not queued."""
        for job in owed(session):
            _log_received(session, job)
            try:
                if job.kind is JobKind.SHOW_CANCELLED:
                    await self._stop(session)
                await self._queue.add(job)
            except QueueUnavailable:
                log.warning("the queue is away: the sweeper will queue %s", job.id)

    async def _stop(self, session: Session) -> None:
        """End the cancelled attempt wherever it is: at a worker, or still in the queue."""
        await self._cancellations.send(session.id)
        for job in reversed(jobs_of(session, session.latest)):
            await self._queue.remove(job)


def _log_received(session: Session, job: Job) -> None:
    set_log_fields(session.id, attempt=job.attempt)
    attempt = session.attempt(job.attempt)
    starts = job.kind is JobKind.ANNOUNCE
    asked = prompt_fields(prompt=attempt.prompt, change=attempt.change) if starts else {}
    log.info("received: %s", _RECEIVED[job.kind], extra=asked)
