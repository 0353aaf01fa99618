"""Keeps «queued, k ahead» true in the root messages of waiting sessions.

Every worker looks now and then. Only the few sessions that are next in line, whose wait changes
soonest, are edited, and only when their number changed: Slack's limit for edits is shared with
everything else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from bot.domain.errors import (
    QueueUnavailable,
    Refusal,
    SlackRefused,
    SlackUnavailable,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.work import Job
from bot.flow.drafts import standing
from bot.flow.shared import under_way
from bot.ports import JobQueue, RootMessages, SessionStore
from bot.telemetry.context import about

log = logging.getLogger(__name__)

INTERVAL = 6.0
AT_MOST = 3
"""Edits at each look: 30 of the 50 a minute that Slack allows, for one worker."""


class _Shown(NamedTuple):
    """What a waiting session's status says: how many are ahead, and what all wait for."""

    ahead: int
    waits_for: StoreTrouble | None


class QueueStatus:
    """`interval` is in seconds. `trouble`: what keeps the store from taking anything new."""

    def __init__(
        self,
        sessions: SessionStore,
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
        self._shown: dict[str, _Shown] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.look()
            except (StoreUnavailable, QueueUnavailable, SlackUnavailable) as error:
                log.info("queue status put off: %s", type(error).__name__)

    async def look(self) -> None:
        """Edit the sessions whose place in the queue has changed."""
        waiting = await self._queue.waiting()
        self._shown = {job.id: self._shown[job.id] for job in waiting if job.id in self._shown}
        places = [(_Shown(n, self._trouble()), job) for n, job in enumerate(waiting)]
        changed = [(place, job) for place, job in places if self._shown.get(job.id) != place]
        for place, job in changed[:AT_MOST]:
            with about(job.session_id, attempt=job.attempt):
                await self._show(job, place)
            self._shown[job.id] = place

    async def _show(self, job: Job, place: _Shown) -> None:
        try:
            session = await self._sessions.load(job.session_id)
            if not (session.root_ts and under_way(session, job.attempt)):
                return
            await self._publisher.show_status(session, place.ahead, waits_for=place.waits_for)
            newest = await self._sessions.load(job.session_id)
            if standing(newest) != standing(session):  # cancelled, or taken up, meanwhile
                await self._publisher.show_status(newest, None)
        except (Refusal, SlackRefused) as error:
            log.info("its place in the queue cannot be shown: %s", error)
        except ValueError as error:  # written by a newer version, or damaged
            log.error("a session cannot be read: %s", type(error).__name__)
