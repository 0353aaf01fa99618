"""The end of a cancelled attempt: at the provider, in its thread, and in its messages."""

from __future__ import annotations

import asyncio
import logging

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.books import call_ended
from bot.domain.errors import QueueUnavailable, SlackRefused, StoreUnavailable
from bot.domain.generation import was_cancelled
from bot.domain.jobs import Job, is_due, jobs_of
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import DISCARD_DUE
from bot.domain.transitions import cancel_shown
from bot.generation.call_pricing import UNPRICED, CallPricing
from bot.ports import (
    Cancellations,
    CancelledCall,
    DraftMessages,
    ImageBackend,
    JobQueue,
    JobState,
    SessionRecords,
)
from bot.progress.draft_refresher import DraftRefresher
from bot.progress.live_preview import LivePreviews
from bot.progress.live_status import LiveStatus

log = logging.getLogger(__name__)

SEARCH_AGAIN_AFTER = 5.0
"""Seconds after which a draft that was being posted is searched for again."""


class CancelledAttempts:
    """Cleans up after a cancelled attempt. Attempts that are not cancelled stay as they are."""

    def __init__(
        self,
        sessions: SessionRecords,
        backend: ImageBackend,
        publisher: DraftMessages,
        previews: LivePreviews,
        ends: CallPricing = UNPRICED,
    ) -> None:
        self._sessions = sessions
        self._ends = ends
        self._backend = backend
        self._publisher = publisher
        self._previews = previews

    async def stop_provider(self, session_id: str, number: int, candidate: int = 0) -> None:
        """Cancel the provider's responses for the attempt, or for one candidate of it, whose run
        was just stopped. What the calls cost all the same is recorded."""
        attempt = await self._cancelled_attempt(session_id, number)
        if attempt is None:
            return
        making = [c for c in attempt.candidates if c.response_id and not c.has_image]
        known = [c for c in making if candidate in (0, c.number)]
        told = await asyncio.gather(*(self._backend.cancel(c.response_id) for c in known))
        for cancelled, call in zip(known, told, strict=True):
            await self._settle(session_id, ImageRef(number, cancelled.number), call)
        if candidate and candidate not in {c.number for c in known}:
            await self._settle(session_id, ImageRef(number, candidate), CancelledCall())

    async def _settle(self, session_id: str, image: ImageRef, told: CancelledCall) -> None:
        end = self._ends.of(told.usage, may_be_paid=told.may_be_paid)

        def change(session: Session) -> Session:
            if image.attempt > len(session.attempts):
                return session
            last = session.attempt(image.attempt).candidate(image.candidate).paid_calls
            return call_ended(session, image, last, end)

        try:
            await self._sessions.update(session_id, change)
        except (Refusal, StoreUnavailable) as error:  # the sweep settles it
            log.warning("a cancelled call is not settled yet: %s", type(error).__name__)

    async def remove_messages(self, session_id: str, number: int, candidate: int = 0) -> None:
        """Remove the preview, and a draft that may have been posted. `candidate` is the one whose
        run was just stopped; only the run of the status candidate removes messages. A message that
        was being posted may still appear, so a second search follows."""
        attempt = await self._cancelled_attempt(session_id, number)
        if attempt is None or candidate not in (0, attempt.status_candidate):
            return
        await self._remove(session_id, attempt)
        if candidate and (attempt.delivery_candidate or self._previews.enabled):
            await asyncio.sleep(SEARCH_AGAIN_AFTER)
            await self._remove(session_id, attempt)

    async def _remove(self, session_id: str, attempt: Attempt) -> None:
        await self._previews.clear(session_id, attempt.number, search=True)
        if not any(c.file_id for c in attempt.candidates):
            return
        try:
            session = await self._sessions.load(session_id)
            await self._publisher.remove_draft(session, attempt.number)
        except (SlackRefused, Refusal) as error:
            log.warning("a draft could not be taken away: %s", error)

    async def _cancelled_attempt(self, session_id: str, number: int) -> Attempt | None:
        try:
            session = await self._sessions.load(session_id)
        except Refusal:
            return None
        return session.attempt(number) if was_cancelled(session, number) else None


class ShowCancelled:
    """Stops running jobs → the root and the draft say that the attempt was cancelled."""

    def __init__(
        self,
        sessions: SessionRecords,
        queue: JobQueue,
        cancellations: Cancellations,
        cancelled: CancelledAttempts,
        drafts: DraftRefresher,
        status: LiveStatus,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._cancellations = cancellations
        self._cancelled = cancelled
        self._drafts = drafts
        self._status = status

    async def __call__(self, session: Session, job: Job, repeated: bool) -> None:
        if not is_due(session, job):
            log.info("%s: nothing left to do", job.id)
            return
        await self._cancellations.send(session.id)
        await self._cancelled.stop_provider(session.id, job.attempt)  # its worker may be dead
        if session.latest.has_started and await self._has_no_worker(session):
            await self._cancelled.remove_messages(session.id, job.attempt)
        if session.discard not in DISCARD_DUE:  # `ShowDiscard` shows both
            await self._status.show_now(session.id)
            await self._drafts.refresh(session.id)
        await self._sessions.update(
            session.id, lambda s: cancel_shown(s, job.attempt) if is_due(s, job) else s
        )
        log.info("the cancellation is shown")

    async def _has_no_worker(self, session: Session) -> bool:
        """Whether the status candidate's job was taken out of the queue between two runs. No worker
        removes the attempt's messages then."""
        generation = jobs_of(session, session.latest)[session.latest.status_candidate]
        try:
            return await self._queue.state(generation) is JobState.GONE
        except QueueUnavailable:
            return False
