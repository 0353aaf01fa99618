"""Finds sessions that are owed a job and have none, and queues it again.

A session has no job when a process died between moving the stage and queueing, when the queue was
away, or when a job failed for good. Every worker sweeps. The queue takes the job of a run once, and
the run is recorded after that: in the other order a second worker could find a run without a job
and queue another one. The last try after too many runs is a job as well: one worker does it, once.

A sweep reads the queue once. A session that is unchanged since an earlier sweep, and whose jobs are
still in the queue, is not loaded again, so that those who wait cost next to nothing.
"""

from __future__ import annotations

import logging

from bot.domain.errors import StoreBroken
from bot.domain.jobs import Job, due_jobs, jobs_of, with_next_run
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.jobs.repeating import repeat_for_ever
from bot.ports import JobQueue, Unfinished, UnfinishedSessions
from bot.telemetry.context import log_context

log = logging.getLogger(__name__)

INTERVAL = 3.0
QUIET_FOR = 3.0
"""Seconds without a change before a session is checked: queueing follows a change closely."""


class Sweeper:
    """Checks every `interval` seconds the sessions that are unchanged for `quiet_for` seconds."""

    def __init__(
        self,
        sessions: UnfinishedSessions,
        queue: JobQueue,
        *,
        interval: float = INTERVAL,
        quiet_for: float = QUIET_FOR,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._interval = interval
        self._quiet_for = quiet_for
        self._live: frozenset[str] = frozenset()
        self._awaited: dict[Unfinished, list[Job]] = {}

    async def run(self) -> None:
        """Sweep for ever."""
        await repeat_for_ever(self.sweep, self._interval, log, "sweeping")

    async def sweep(self) -> None:
        """Check every session that may be owed a job once."""
        await self._queue.repair()
        entries = await self._sessions.unfinished(self._quiet_for)
        self._awaited = {e: self._awaited[e] for e in entries if e in self._awaited}
        self._live = await self._queue.live_ids() if entries else frozenset()
        for entry in entries:
            awaited = self._awaited.pop(entry, [])
            if awaited and all(job.id in self._live for job in awaited):
                self._awaited[entry] = awaited
                continue
            with log_context(entry.session_id):
                await self._check(entry)

    async def _check(self, entry: Unfinished) -> None:
        try:
            session = await self._sessions.load(entry.session_id)
            await self._queue_missing(session, entry)
        except Refusal:  # it has expired, perhaps meanwhile
            await self._sessions.remove_unfinished(entry)
        except StoreBroken as error:  # of this session or its person
            log.error("a session is put off: %s", error)
        except ValueError as error:  # it cannot be read
            log.error("a session is put off: %s", type(error).__name__)

    async def _queue_missing(self, session: Session, entry: Unfinished) -> None:
        jobs = due_jobs(session)
        if not jobs:
            await self._sessions.remove_unfinished(entry)
            return
        if announcement := await self._live_announcement(session):
            self._awaited[entry] = [announcement]
            return
        missing = [job for job in jobs if not await self._is_live(job)]
        if not missing:
            self._awaited[entry] = [*jobs]
        elif await self._still_quiet(entry):
            for job in missing:
                await self._queue_again(session, job)

    async def _is_live(self, job: Job) -> bool:
        return job.id in self._live or (await self._queue.state(job)).live

    async def _still_quiet(self, entry: Unfinished) -> bool:
        """False where the session has changed since: another process is just queueing its job."""
        return entry in await self._sessions.unfinished(self._quiet_for)

    async def _live_announcement(self, session: Session) -> Job | None:
        """An announcement queues the generations before it ends, so its state is read first."""
        if session.stage is not Stage.GENERATING:
            return None
        announcement, *_ = jobs_of(session, session.latest)
        return announcement if await self._is_live(announcement) else None

    async def _queue_again(self, session: Session, job: Job) -> None:
        new = job.again
        if job not in due_jobs(await self._sessions.load(session.id)):
            return
        if new.gives_up:
            log.error("%s: %s runs have failed, this is the last", new.id, new.run)
        else:
            log.warning("%s has no job: queueing it again", new.id)
        await self._queue.add(new)
        await self._sessions.update(session.id, lambda s: with_next_run(s, job))
