"""Keeps «queued, k ahead» true in the root messages of waiting sessions.

Every worker reads the queue now and then. It edits only the few sessions that are next in line, and
only when their number has changed: all edits share Slack's limit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from bot.domain.errors import (
    QueueUnavailable,
    SlackRefused,
    SlackUnavailable,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.generation import is_generating
from bot.domain.jobs import ahead_of_each
from bot.domain.refusals import Refusal
from bot.ports import JobQueue, RootMessages, SessionRecords
from bot.progress.draft_refresher import shown_state
from bot.telemetry.context import log_context

log = logging.getLogger(__name__)

INTERVAL = 6.0
"""Seconds between two readings of the queue."""
AT_MOST = 3
"""Edits at each reading: 30 of the 50 a minute that Slack allows, for one worker."""


class _Shown(NamedTuple):
    """The status of a waiting session: how many attempts are ahead, and the trouble that all wait
    for."""

    ahead: int
    waits_for: StoreTrouble | None


class QueuePositions:
    """`interval` is in seconds. `trouble` returns why the store takes nothing new, or None."""

    def __init__(
        self,
        sessions: SessionRecords,
        queue: JobQueue,
        publisher: RootMessages,
        trouble: Callable[[], StoreTrouble | None],
        interval: float = INTERVAL,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._publisher = publisher
        self._trouble = trouble
        self._interval = interval
        self._shown: dict[tuple[str, int], _Shown] = {}

    async def run(self) -> None:
        """Repeat `refresh` for ever."""
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.refresh()
            except (StoreUnavailable, QueueUnavailable, SlackUnavailable) as error:
                log.info("queue status put off: %s", type(error).__name__)

    async def refresh(self) -> None:
        """Edit the statuses whose place in the queue has changed."""
        places = {
            attempt: _Shown(ahead, self._trouble())
            for attempt, ahead in ahead_of_each(await self._queue.waiting()).items()
        }
        self._shown = {key: self._shown[key] for key in places if key in self._shown}
        changed = [key for key, place in places.items() if self._shown.get(key) != place]
        for session_id, number in changed[:AT_MOST]:
            place = places[session_id, number]
            with log_context(session_id, attempt=number):
                await self._show(session_id, number, place)
            self._shown[session_id, number] = place

    async def _show(self, session_id: str, number: int, place: _Shown) -> None:
        try:
            session = await self._sessions.load(session_id)
            waits = is_generating(session, number) and not session.latest.is_being_made
            if not (session.root_ts and waits):
                return
            await self._publisher.show_status(session, place.ahead, waits_for=place.waits_for)
            newest = await self._sessions.load(session_id)
            if shown_state(newest) != shown_state(session):  # cancelled or started meanwhile
                await self._publisher.show_status(newest, None)
        except (Refusal, SlackRefused) as error:
            log.info("its place in the queue cannot be shown: %s", error)
        except ValueError as error:  # written by a newer version, or damaged
            log.error("a session cannot be read: %s", type(error).__name__)
