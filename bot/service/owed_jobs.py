"""What follows from a decision: the session's next job."""

from __future__ import annotations

import logging

from bot.domain.errors import QueueUnavailable
from bot.domain.session import Session
from bot.domain.work import Job, JobKind, owed
from bot.ports import Cancellations, JobQueue
from bot.telemetry.context import turn_to
from bot.telemetry.logs import typed

log = logging.getLogger(__name__)

_RECEIVED = {
    JobKind.ANNOUNCE: "an attempt is asked for",
    JobKind.SETTLE: "the attempt is cancelled",
    JobKind.FINISH: "an image is approved",
    JobKind.RETIRE: "the session is started over",
}


class OwedJobs:
    """Queues what a session is owed after a person's decision."""

    def __init__(self, queue: JobQueue, cancellations: Cancellations) -> None:
        self._queue = queue
        self._cancellations = cancellations

    async def queue_owed(self, session: Session) -> None:
        """Queue the session's next job. Never raises: the sweeper queues what is not queued now."""
        job = owed(session)
        if job is None:
            return
        _log_received(session, job)
        try:
            if job.kind is JobKind.SETTLE:
                await self._stop(job)
            await self._queue.add(job)
        except QueueUnavailable:
            log.warning("the queue is away: the sweeper will queue %s", job.id)

    async def _stop(self, job: Job) -> None:
        """End the cancelled attempt wherever it is: at a worker, or still in the queue."""
        await self._cancellations.send(job.session_id)
        for kind in (JobKind.GENERATE, JobKind.ANNOUNCE):
            await self._queue.remove(Job(kind, job.session_id, job.attempt, job.run))


def _log_received(session: Session, job: Job) -> None:
    turn_to(session.id, attempt=job.attempt)
    attempt = session.attempt(job.attempt)
    starts = job.kind is JobKind.ANNOUNCE
    asked = typed(prompt=attempt.prompt, change=attempt.change) if starts else {}
    log.info("received: %s", _RECEIVED[job.kind], extra=asked)
