"""Records of paid calls: a store whose writes are retried, and the checkpoint of a run.

    a live run of the candidate has made a paid call   this run waits for its image
    before a paid call    Slack lets the app in · the call is counted in the session
    response id           recorded while the call goes on

A run may lose its job while Redis is full or away, and still hold the image. Its heartbeat shows
that it is alive.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.concurrency import cancel_and_wait
from bot.domain.attempt import MAX_PAID_CALLS, Candidate, ImageRef
from bot.domain.books import call_ended
from bot.domain.costs import CallOutcome, CallState, Usage
from bot.domain.errors import (
    Conflict,
    PaidCallNotMade,
    QueueUnavailable,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.generation import LOST, is_current_run, paid_call_counted, record_candidate
from bot.domain.session import Session
from bot.generation.call_pricing import UNPRICED, CallPricing
from bot.ports import (
    Change,
    ExtraWrites,
    Heartbeats,
    SessionRecords,
    SlackAccess,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 2.0
"""Seconds between two tries to write; each pause is a random part of it, half at the least."""
LOOK_EVERY = 1.0
"""Seconds between two looks at another run's candidate, on the average."""
RECORDED_WITHIN = 1.0
"""Seconds that a call waits until its response's id is recorded."""
LAST_RECORD_WITHIN = 0.8
"""Seconds that a record may take after its call has ended, or its run is cancelled."""


class RetryingStore:
    """Implements `SessionRecords`. A write is repeated until the store takes it or the task is
    cancelled; a read raises at once. `on_trouble` is called with the session that waits and the
    reason, and with None once the write is taken."""

    def __init__(
        self, sessions: SessionRecords, on_trouble: Callable[[str, StoreTrouble | None], None]
    ) -> None:
        self._sessions = sessions
        self._on_trouble = on_trouble
        self.load = sessions.load
        self.load_image = sessions.load_image

    async def update(
        self, session_id: str, change: Change, extra: ExtraWrites | None = None
    ) -> Session:
        """`change` may be applied twice, where the store's first answer is lost."""
        return await self.until_taken(
            session_id, lambda: self._sessions.update(session_id, change, extra)
        )

    async def keep_image(self, session_id: str, image: ImageRef, encoded: str) -> None:
        await self.until_taken(
            session_id, lambda: self._sessions.keep_image(session_id, image, encoded)
        )

    async def until_taken(self, session_id: str, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat the call until the store, or the queue in it, takes it."""
        pause, waits = FIRST_PAUSE, False
        try:
            while True:
                try:
                    return await call()
                except Conflict:
                    log.warning("other changes were faster again and again: trying on")
                except (StoreUnavailable, QueueUnavailable) as error:
                    if not waits:
                        log.warning("the store does not take a write, which is repeated: %s", error)
                    waits = True
                    self._on_trouble(session_id, error.trouble)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            if waits:
                self._on_trouble(session_id, None)


@dataclass(eq=False)
class RunCheckpoint:
    """Implements `bot.ports.Checkpoint` for one run of one candidate.

    `sessions` retries its writes. `offer_preview` takes a session's id, an image and a partial of
    it in base64, and returns at once. `response_id` is the one that was recorded last. `asked_at`
    is when the provider was asked, on the monotonic clock. `ends` tells what a call cost.
    """

    sessions: SessionRecords
    heartbeats: Heartbeats
    access: SlackAccess
    offer_preview: Callable[[str, ImageRef, str], None]
    session_id: str
    image: ImageRef
    run_id: str
    ends: CallPricing = UNPRICED
    response_id: str = field(default="", init=False)
    asked_at: float = field(default=0.0, init=False)
    _paid_calls: int = field(default=0, init=False)
    _last_end: CallOutcome = field(default=LOST, init=False)
    _recording: tuple[asyncio.Task[Any], ...] = field(default=(), init=False)

    @property
    def may_call(self) -> bool:
        """Whether the limit of paid calls allows another try. A try that goes on with a known
        response is no paid call."""
        return bool(self.response_id) or self._paid_calls < MAX_PAID_CALLS

    @property
    def call_number(self) -> int:
        """The number of the candidate's last paid call; 0 for none."""
        return self._paid_calls

    @property
    def last_end(self) -> CallOutcome:
        """How that call ended, as far as this run knows."""
        return self._last_end

    def call_ended(self, usage: Usage | None, *, may_be_paid: bool) -> None:
        self._last_end = self.ends.of(usage, may_be_paid=may_be_paid)

    async def record_unpaid_end(self) -> None:
        """Record that the last call costs nothing, where that is so: this run may die before it
        makes the next one, and the call would count as lost."""
        number, end = self._paid_calls, self._last_end
        if end.state is CallState.FREE:
            await self.sessions.update(
                self.session_id, lambda s: call_ended(s, self.image, number, end)
            )

    async def wait_for_turn(self) -> None:
        """Return once this run may call the provider. Raises `PaidCallNotMade` where another run
        made the image, or has taken the candidate over."""
        waits = False
        while True:
            session = await self.sessions.load(self.session_id)
            if not is_current_run(session, self.image, self.run_id):
                raise PaidCallNotMade
            candidate = session.latest.candidate(self.image.candidate)
            if await self.is_over(candidate):
                raise PaidCallNotMade
            self._paid_calls = candidate.paid_calls
            self.response_id = self.response_id or candidate.response_id
            self.asked_at = time.monotonic()
            if not candidate.awaits_answer or candidate.paid_by_run == self.run_id:
                return
            if not await self.heartbeats.is_alive(candidate.paid_by_run):
                return
            if not waits:
                log.info("another run has asked for the image: waiting for it")
            waits = True
            await asyncio.sleep(LOOK_EVERY * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def is_over(self, candidate: Candidate) -> bool:
        """Whether the candidate needs no call. An image whose bytes expired before Slack had them
        is made again."""
        if candidate.failure or candidate.file_id:
            return True
        if not candidate.has_image:
            return False
        return bool(await self.sessions.load_image(self.session_id, self.image))

    async def before_paid_call(self) -> None:
        """Raises `PaidCallNotMade` where the call must not be made, and `SlackAppBlocked` where its
        image could not be shown."""
        await self.access.require_access(paid=True)
        await cancel_and_wait(*self._recording)
        before, ended = self._paid_calls, self._last_end
        session = await self.sessions.update(
            self.session_id, lambda s: paid_call_counted(s, self.image, self.run_id, before, ended)
        )
        if not is_current_run(session, self.image, self.run_id):
            raise PaidCallNotMade
        self.response_id = ""
        self._last_end = LOST
        self._paid_calls = session.latest.candidate(self.image.candidate).paid_calls

    async def response_started(self, response_id: str) -> None:
        """Record the id at once, so that a repeated run pays nothing. The call does not wait for a
        store that does not take it."""
        log.info("the provider works on it", extra={"response": response_id})
        await cancel_and_wait(*self._recording)
        self.response_id = response_id
        recording = asyncio.create_task(
            self.sessions.update(
                self.session_id,
                lambda s: record_candidate(s, self.image, response_id=response_id),
            )
        )
        self._recording = (recording,)
        await asyncio.wait({recording}, timeout=RECORDED_WITHIN)

    def partial_image(self, encoded: str) -> None:
        self.offer_preview(self.session_id, self.image, encoded)

    async def close(self) -> None:
        """Wait for the record for up to `LAST_RECORD_WITHIN`, then drop it."""
        await cancel_and_wait(*self._recording, after=LAST_RECORD_WITHIN)


NewCheckpoint = Callable[[str, ImageRef, str], RunCheckpoint]
"""Makes the checkpoint for a session's id, an image and the name of a run."""
