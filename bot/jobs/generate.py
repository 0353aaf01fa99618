"""The job that makes one candidate, and its stop when the attempt is cancelled.

A run ends by itself, by a cancellation of its attempt, or by the shutdown. Only a cancellation
stops the provider too: after a shutdown another worker goes on with the response.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.concurrency import run_until_event, wait_for_event
from bot.domain.attempt import ImageRef
from bot.domain.errors import StoreUnavailable
from bot.domain.generation import is_generating, was_cancelled
from bot.domain.jobs import Job, is_due
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.flow import ReviewFlow, shared_store
from bot.generation.recording import RetryingStore
from bot.jobs.announce import RootMessage
from bot.jobs.cancellation import CancelledAttempts
from bot.jobs.publish import ShowAttemptEnd
from bot.ports import Heartbeats, SessionVersions
from bot.progress.live_preview import LivePreviews
from bot.progress.live_status import LiveStatus
from bot.work_slots import lend_slot

log = logging.getLogger(__name__)

LOOK_EVERY = 0.8
"""Seconds between two looks at the sessions of all runs, in case a message was lost."""


@dataclass(eq=False)
class _Watched:
    """An attempt that is being made. `version` is that of the session at the last look."""

    session_id: str
    number: int
    version: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


class CancellationWatch:
    """Tells the runs of this process when their attempts are cancelled: at once after a message,
    else at the next look. One look reads all sessions together."""

    def __init__(self, sessions: SessionVersions) -> None:
        self._sessions = sessions
        self._watched: set[_Watched] = set()
        self._woken = asyncio.Event()

    @contextmanager
    def watching(self, session_id: str, number: int) -> Iterator[asyncio.Event]:
        """An event that is set once the attempt is cancelled, while the body runs."""
        watched = _Watched(session_id, number)
        self._watched.add(watched)
        try:
            yield watched.cancelled
        finally:
            self._watched.discard(watched)

    def cancelled(self, session_id: str) -> None:
        """A message says that an attempt of this session was cancelled."""
        if any(watched.session_id == session_id for watched in self._watched):
            self._woken.set()

    def look_soon(self) -> None:
        """Look now, because messages may have been lost."""
        self._woken.set()

    async def run(self) -> None:
        """Look at the sessions for ever."""
        while True:
            await wait_for_event(self._woken, LOOK_EVERY)
            self._woken.clear()
            try:
                if self._watched:
                    await self._look(list(self._watched))
            except StoreUnavailable as error:
                log.debug("cannot look at the sessions: %s", error)

    async def _look(self, watched: list[_Watched]) -> None:
        versions = await self._sessions.versions([w.session_id for w in watched])
        changed = [(w, v) for w, v in zip(watched, versions, strict=True) if w.version != v]
        found = await self._sessions.load_many(list({w.session_id for w, _ in changed}))
        sessions = {session.id: session for session in found}
        for one, version in changed:
            one.version = version
            session = sessions.get(one.session_id)
            if session and was_cancelled(session, one.number):
                one.cancelled.set()


class GenerationRunner:
    """Runs the review flow for one candidate, while its heartbeat and its previews go on."""

    def __init__(
        self,
        sessions: RetryingStore,
        flow: ReviewFlow,
        previews: LivePreviews,
        heartbeats: Heartbeats,
    ) -> None:
        self._sessions = sessions
        self._flow = flow
        self._previews = previews
        self._heartbeats = heartbeats

    async def run(self, session: Session, image: ImageRef, repeated: bool) -> Stage:
        """Returns the stage that the run leaves the session in. The run begins once the store takes
        a write: its heartbeat is the first one."""
        shared = shared_store(session, image.candidate, repeated=repeated)
        run_id = shared["run_id"]
        await self._sessions.until_taken(session.id, lambda: self._heartbeats.begin(run_id))
        try:
            async with self._previews.showing(session.id, image):
                stage = await self._flow.run(shared)
        finally:
            await self._heartbeats.end(run_id)
        if stage is not Stage.GENERATING:
            await self._previews.clear(session.id, image.attempt, search=repeated)
        return stage


class Generate:
    """The review flow for one candidate, stopped within a second once its attempt is cancelled. No
    other image waits for its last status, which may have to wait for Slack."""

    def __init__(
        self,
        runner: GenerationRunner,
        watch: CancellationWatch,
        cancelled: CancelledAttempts,
        root: RootMessage,
        status: LiveStatus,
        show_end: ShowAttemptEnd,
    ) -> None:
        self._runner = runner
        self._watch = watch
        self._cancelled = cancelled
        self._root = root
        self._status = status
        self._show_end = show_end

    async def __call__(self, session: Session, job: Job, repeated: bool) -> None:
        if is_due(session, job):
            if await self._root.can_still_be_shown(session):
                await self._generate(session, ImageRef(job.attempt, job.candidate), repeated)
        elif repeated and was_cancelled(session, job.attempt):
            await self._cancelled.stop_provider(session.id, job.attempt)
            await self._cancelled.remove_messages(session.id, job.attempt)
        elif repeated and _has_delivered(session, job):
            await self._show_end(session)
        else:
            log.info("%s: nothing left to do", job.id)

    async def _generate(self, session: Session, image: ImageRef, repeated: bool) -> None:
        async with self._status.following(session.id, image.candidate):
            with self._watch.watching(session.id, image.attempt) as cancelled:
                work = self._runner.run(session, image, repeated)
                ended = await run_until_event(work, cancelled)
            if ended is None:
                log.info("attempt %s was cancelled", image.attempt)
                await self._cancelled.stop_provider(session.id, image.attempt, image.candidate)
            lend_slot()
        if ended is None:
            await self._cancelled.remove_messages(session.id, image.attempt, image.candidate)


def _has_delivered(session: Session, job: Job) -> bool:
    """Whether the newest attempt has ended, and this job's candidate delivered it or may have."""
    if job.attempt != len(session.attempts) or is_generating(session, job.attempt):
        return False
    return session.latest.delivery_candidate in (0, job.candidate)
