"""What is recorded during the call for one image: that it may be paid for, and the provider's id.

    another run of the candidate lives and has asked?  wait for what comes of it
    before a paid call    Slack lets the app in · the call is counted in the session
    response id           recorded beside the call, which goes on meanwhile

A run may have lost its job while Redis was full or away, and not the image: its heartbeat tells.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.concurrency import cancel_and_wait, wait_then_cancel
from bot.domain.attempt import MOST_ASKED, Candidate, ImageRef
from bot.domain.errors import GenerationError, NotAsked
from bot.domain.generation import leads, paid_call_counted, record_candidate
from bot.ports import Heartbeats, SessionStore, SlackAccess

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks at another run's candidate, on the average."""
WAIT = 1.0
"""Seconds between two tries; a provider that asks for more gets more."""
LONGEST_WAIT = 60.0
"""Seconds; a provider that asks for more is reported to the person instead."""
RECORDED_WITHIN = 1.0
"""Seconds that a generation waits for its response's id to be recorded."""
LAST_RECORD_WITHIN = 0.8
"""Seconds that a record may still take once the call has ended, or its run is cancelled."""


@dataclass(frozen=True)
class Checkpoints:
    """Makes the checkpoint of a run. `sessions` retries what the store does not take.
    `offer_preview` takes a session's id, an image and a partial of it, and returns at once."""

    sessions: SessionStore
    heartbeats: Heartbeats
    access: SlackAccess
    offer_preview: Callable[[str, ImageRef, str], None]

    def of(self, session_id: str, image: ImageRef, runner: str) -> RunCheckpoint:
        return RunCheckpoint(self, session_id, image, runner)


class RunCheckpoint:
    """Implements `bot.ports.Checkpoint` for one run of one candidate. `response_id` is the one that
    was recorded last."""

    def __init__(
        self,
        use: Checkpoints,
        session_id: str,
        image: ImageRef,
        runner: str,
    ) -> None:
        self._use = use
        self._session_id = session_id
        self._image = image
        self._runner = runner
        self.response_id = ""
        self._asked = 0
        self._not_before = 0.0
        self._began = time.monotonic()
        self._recording: asyncio.Task[Any] | None = None

    def can_retry(self, error: GenerationError) -> bool:
        """Whether asking once more can mend it; the next try waits as long as the provider asked
        for. Going on with a response that is known is no paid call."""
        wait = error.retry_after or 0.0
        paid_for = not self.response_id and self._asked >= MOST_ASKED
        if not error.retryable or wait > LONGEST_WAIT or paid_for:
            return False
        log.warning("no image yet: %s, asking again in %.1f s", error.kind, max(wait, WAIT))
        self._not_before = time.monotonic() + wait
        return True

    async def wait_for_turn(self) -> None:
        """Return once it is time to ask. Raises `NotAsked` where another run brought
        the image, or has taken the candidate over."""
        await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
        told = False
        while await self._another_run_asks():
            if not told:
                log.info("another run has asked for the image: waiting for it")
            told = True
            await asyncio.sleep(LOOK_EVERY * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def _another_run_asks(self) -> bool:
        session = await self._use.sessions.load(self._session_id)
        if not leads(session, self._image, self._runner):
            raise NotAsked
        candidate = session.latest.candidate(self._image.candidate)
        if await self.has_come(candidate):
            raise NotAsked
        self._asked = candidate.asked
        self.response_id = self.response_id or candidate.response_id
        self._began = time.monotonic()
        if not candidate.awaits_answer or candidate.asked_by == self._runner:
            return False
        return await self._use.heartbeats.is_alive(candidate.asked_by)

    async def has_come(self, candidate: Candidate) -> bool:
        """Whether there is nothing more to ask for. An image whose bytes have expired before Slack
        had them has to be made again."""
        if candidate.failure or candidate.file_id:
            return True
        sessions = self._use.sessions
        return candidate.has_image and bool(
            await sessions.load_image(self._session_id, self._image)
        )

    @property
    def seconds(self) -> float:
        """Since this run has asked."""
        return time.monotonic() - self._began

    async def before_paid_call(self) -> None:
        """Raises `NotAsked` where the call must not be made, and `SlackShutOut` where what it
        brings could not be shown."""
        await self._use.access.require_closed()
        await self._stop_recording()
        before = self._asked
        session = await self._use.sessions.update(
            self._session_id, lambda s: paid_call_counted(s, self._image, self._runner, before)
        )
        if not leads(session, self._image, self._runner):
            raise NotAsked
        self.response_id = ""
        self._asked = session.latest.candidate(self._image.candidate).asked

    async def response_started(self, response_id: str) -> None:
        """Record the id at once: a repeated run pays nothing by it. A store that does not take it
        does not keep the image back."""
        log.info("the provider works on it", extra={"response": response_id})
        await self._stop_recording()
        self.response_id = response_id
        self._recording = asyncio.create_task(
            self._use.sessions.update(
                self._session_id,
                lambda s: record_candidate(s, self._image, response_id=response_id),
            )
        )
        await asyncio.wait({self._recording}, timeout=RECORDED_WITHIN)

    def partial_image(self, encoded: str) -> None:
        self._use.offer_preview(self._session_id, self._image, encoded)

    async def close(self) -> None:
        """Let a record come to its end, or nearly so; then it is given up."""
        if self._recording is not None:
            await wait_then_cancel(self._recording, timeout=LAST_RECORD_WITHIN)

    async def _stop_recording(self) -> None:
        if self._recording is not None:
            await cancel_and_wait(self._recording)
            self._recording = None
