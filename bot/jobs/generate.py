"""The images that are made in this process, and how a cancelled one is stopped.

Three things end a run: its own end, word that its attempt was cancelled, and the shutdown. Only the
second stops the provider too: after a shutdown another worker goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from bot.concurrency import cancel_and_wait
from bot.domain.attempt import Attempt, ImageRef
from bot.domain.errors import Refusal, SlackRefused, StoreUnavailable
from bot.domain.generation import was_cancelled
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.flow.flow import ReviewFlow
from bot.flow.shared import new_runner
from bot.generation.store_retries import StoreRetries
from bot.ports import Heartbeats, ImageBackend, Publisher, SessionStore
from bot.progress.live_preview import LivePreviews
from bot.progress.session_messages import LiveStatus

log = logging.getLogger(__name__)

LOOK_EVERY = 0.8
"""Seconds between two looks at the sessions of all runs, for word that was lost."""
LOOK_AGAIN_AFTER = 5.0
"""Seconds after which a draft is looked for again that was just being posted."""


@dataclass(eq=False)
class _Run:
    """`news`: the session should be looked at. `version`: which one was seen last."""

    session_id: str
    image: ImageRef
    version: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


class GenerationRunner:
    """Runs the review flow, and stops it within a second once its attempt is cancelled."""

    def __init__(
        self,
        sessions: SessionStore,
        backend: ImageBackend,
        publisher: Publisher,
        flow: ReviewFlow,
        status: LiveStatus,
        previews: LivePreviews,
        heartbeats: Heartbeats,
        store_retries: StoreRetries,
    ) -> None:
        self._sessions = sessions
        self._backend = backend
        self._publisher = publisher
        self._flow = flow
        self._status = status
        self._previews = previews
        self._heartbeats = heartbeats
        self._store_retries = store_retries
        self._runs: set[_Run] = set()
        self._looking: asyncio.Task[None] | None = None

    def cancelled(self, session_id: str) -> None:
        """Word has come that this session's attempt was cancelled."""
        for run in self._runs:
            if run.session_id == session_id:
                run.news.set()

    def look_at_all(self) -> None:
        """Word may have been lost."""
        for run in self._runs:
            run.news.set()

    async def run(self, session: Session, candidate: int, *, repeated: bool) -> None:
        """Bring a candidate of the newest attempt on until it is made, and the attempt until it has
        a draft or a failure where this candidate is the last, or until it is cancelled."""
        image = ImageRef(session.latest.number, candidate)
        async with self._status.following(session.id, candidate):
            stopped = await self._run_until_cancelled(session, image, repeated)
            if stopped:
                log.info("attempt %s was cancelled", image.attempt)
                await self.call_off(session.id, image.attempt, candidate)
        if stopped:
            await self._take_away(session.id, image.attempt, candidate)

    async def clear_away(self, session_id: str, number: int) -> None:
        """What an earlier run left of an attempt that was cancelled: at the provider, and in the
        thread."""
        await self.call_off(session_id, number)
        await self._take_away(session_id, number)

    async def clear_preview(self, session: Session) -> None:
        """What an earlier run may have left of a preview, once its attempt has ended."""
        await self._previews.clear(session.id, session.latest.number)

    async def _run_until_cancelled(self, session: Session, image: ImageRef, repeated: bool) -> bool:
        """Answers whether the run was stopped."""
        run = _Run(session.id, image)
        self._runs.add(run)
        self._look_out()
        work = asyncio.create_task(self._bring_on(session, image, repeated))
        watch = asyncio.create_task(self._until_cancelled(run))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            stopped = not work.done()
        finally:
            self._runs.discard(run)
            await cancel_and_wait(watch)
            await cancel_and_wait(work)
            await self._look_away()
        if not stopped:
            work.result()
        return stopped

    async def _bring_on(self, session: Session, image: ImageRef, repeated: bool) -> None:
        """The run begins once the store takes something new: its heartbeat is the first change."""
        runner = new_runner()
        await self._store_retries.until_taken(session.id, lambda: self._heartbeats.begin(runner))
        try:
            async with self._previews.showing(session.id, image):
                ended = await self._flow.run(
                    session, image.candidate, repeated=repeated, runner=runner
                )
        finally:
            await self._heartbeats.end(runner)
        if ended["stage"] != Stage.GENERATING:
            await self._previews.clear(session.id, image.attempt, look=repeated)

    def _look_out(self) -> None:
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_now_and_then())

    async def _look_away(self) -> None:
        """Once nothing runs any more."""
        if not self._runs and self._looking is not None:
            looking, self._looking = self._looking, None
            await cancel_and_wait(looking)

    async def _look_now_and_then(self) -> None:
        """One question for all runs: which of their sessions have changed."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            runs = list(self._runs)
            try:
                versions = await self._sessions.versions([run.session_id for run in runs])
            except StoreUnavailable as error:
                log.debug("cannot look at the sessions: %s", error)
                continue
            for run, version in zip(runs, versions, strict=True):
                if version != run.version:
                    run.version = version
                    run.news.set()

    async def _until_cancelled(self, run: _Run) -> None:
        while True:
            await run.news.wait()
            run.news.clear()
            try:
                session = await self._sessions.load(run.session_id)
            except (StoreUnavailable, Refusal, ValueError) as error:
                log.debug("cannot look at the session: %s", type(error).__name__)
                run.version = -1  # it is looked at again
                continue
            if was_cancelled(session, run.image.attempt):
                return

    async def call_off(self, session_id: str, number: int, candidate: int = 0) -> None:
        """Stop what a cancelled attempt, or one candidate of it, still has under way at the
        provider."""
        attempt = await self._cancelled_attempt(session_id, number)
        if attempt is None:
            return
        mine = [c for c in attempt.candidates if candidate in (0, c.number)]
        ids = [c.response_id for c in mine if c.response_id and not c.has_image]
        await asyncio.gather(*(self._backend.cancel(response_id) for response_id in ids))

    async def _take_away(self, session_id: str, number: int, candidate: int = 0) -> None:
        """The preview, and a draft that may have been posted. `candidate`: whose run was stopped
        right now; one of an attempt's runs is enough. What that was just posting may still come:
        Slack works on when nobody listens."""
        attempt = await self._cancelled_attempt(session_id, number)
        if attempt is None or candidate not in (0, attempt.at_work):
            return
        await self._clear(session_id, attempt)
        if candidate and (attempt.delivering or self._previews.enabled):
            await asyncio.sleep(LOOK_AGAIN_AFTER)
            await self._clear(session_id, attempt)

    async def _clear(self, session_id: str, attempt: Attempt) -> None:
        await self._previews.clear(session_id, attempt.number, look=True)
        if any(c.file_id for c in attempt.candidates):
            await self._remove_draft(session_id, attempt.number)

    async def _remove_draft(self, session_id: str, number: int) -> None:
        try:
            session = await self._sessions.load(session_id)
            await self._publisher.remove_draft(session, number)
        except (SlackRefused, Refusal) as error:
            log.warning("a draft could not be taken away: %s", error)

    async def _cancelled_attempt(self, session_id: str, number: int) -> Attempt | None:
        try:
            session = await self._sessions.load(session_id)
        except Refusal:
            return None
        return session.attempt(number) if was_cancelled(session, number) else None
