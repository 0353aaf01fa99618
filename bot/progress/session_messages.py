"""The root message's status line, kept up to date while a worker works on a session.

Each edit is rendered from the session as the store has it at that moment, so whichever process
edits last, the newest status wins. A new step is shown at once, passing seconds every few seconds,
both less often the more sessions are followed. An edit that Slack turns down for its rate limit is
not repeated but rendered anew; the last one is always sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.concurrency import wait_for_event
from bot.domain.ending import as_approved
from bot.domain.errors import (
    Refusal,
    SlackBusy,
    SlackRefused,
    SlackShutOut,
    SlackUnavailable,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import RootMessages, SessionStore
from bot.progress.draft_refresher import standing

log = logging.getLogger(__name__)

INTERVAL = 4.0
"""Seconds between edits for the sake of the seconds they show."""
SHARE = 0.375
"""Of the interval, for each session that is followed: 1.5 s between two such edits of a process.
Slack allows 50 a minute in a workspace, and those that say something new need some of them."""
GAP = 1.0
"""Seconds at the least between two edits of one message, where there are few of them. In a crowd a
step that is over soon is not shown: its edit would cost those that are waited for."""
FIRST_EDIT_WITHIN = 0.5
LAST_EDIT_WITHIN = 120.0


@dataclass
class _Line:
    """One status line that is being followed. `woken`: there is something new to say. `candidates`
    are those that are made here; 0 stands for the attempt as a whole."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    candidates: list[int] = field(default_factory=list)
    ticking: asyncio.Task[None] | None = None

    def is_told_here(self, session: Session) -> bool:
        """Of several processes that make images of one attempt, one shows how it stands."""
        if session.stage is not Stage.GENERATING or 0 in self.candidates:
            return True
        return session.latest.at_work in self.candidates


class LiveStatus:
    """Edits the status of any session. `interval` is in seconds."""

    def __init__(
        self, sessions: SessionStore, publisher: RootMessages, interval: float = INTERVAL
    ) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._interval = interval
        self._lines: dict[str, _Line] = {}
        self._waiting: dict[str, StoreTrouble] = {}
        self._busy_until = 0.0

    @asynccontextmanager
    async def following(self, session_id: str, candidate: int = 0) -> AsyncIterator[None]:
        """Edit now and then while the body runs, and once more after the last one of the
        session."""
        line = self._lines.setdefault(session_id, _Line())
        line.candidates.append(candidate)
        line.ticking = line.ticking or asyncio.create_task(self._tick(session_id, line))
        try:
            yield
        finally:
            line.candidates.remove(candidate)
            line.woken.set()
            if not line.candidates:
                del self._lines[session_id]
                line.ended.set()
                await line.ticking
        if not line.candidates:
            await self.show_now(session_id, line if candidate else None)

    def changed(self, session_id: str) -> None:
        """The session has come to another step: say so soon."""
        if line := self._lines.get(session_id):
            line.woken.set()

    def waits_for(self, session_id: str, trouble: StoreTrouble | None) -> None:
        """What keeps the store from taking what is under way in the session; None where nothing
        does any more."""
        before = self._waiting.pop(session_id, None)
        if trouble is not None:
            self._waiting[session_id] = trouble
        if trouble is not before:
            self.changed(session_id)

    async def show_now(self, session_id: str, line: _Line | None = None) -> bool:
        """Send the status as it is now: waits out rate limits and outages, as long as they do not
        last. Answers whether it is shown, or never can be. Raises `SlackShutOut`."""
        try:
            async with asyncio.timeout(LAST_EDIT_WITHIN):
                wait = await self._edit(session_id, line)
                while wait is not None:
                    await asyncio.sleep(wait)
                    wait = await self._edit(session_id, line)
        except TimeoutError:
            log.warning("the last status could not be shown")
            return False
        return True

    async def _tick(self, session_id: str, line: _Line) -> None:
        await wait_for_event(line.woken, min(FIRST_EDIT_WITHIN, self._interval))
        while not line.ended.is_set():
            line.woken.clear()
            if time.monotonic() >= self._busy_until:
                with suppress(SlackShutOut):
                    await self._edit(session_id, line)
            gap = min(GAP, self._interval)
            await wait_for_event(line.ended, gap * self._crowd)
            await wait_for_event(line.woken, (self._interval - gap) * self._crowd)

    @property
    def _crowd(self) -> float:
        """How many times as long as alone each line waits."""
        return max(1.0, SHARE * len(self._lines))

    async def _edit(self, session_id: str, line: _Line | None) -> float | None:
        """Edit once, unless another process does. Answers None when done, or how many seconds to
        wait before the next try. Raises `SlackShutOut`."""
        try:
            session = as_approved(await self._sessions.load(session_id))
            if line is not None and not line.is_told_here(session):
                return None
            if not (session.root_ts and session.attempts):  # without any it is retired
                return None
            waits_for = self._waiting.get(session_id)
            await self._publisher.show_status(session, None, waits_for=waits_for)
            if await self._sessions.versions([session_id]) == [session.version]:
                return None
            newest = as_approved(await self._sessions.load(session_id))
        except SlackBusy as busy:
            self._busy_until = time.monotonic() + busy.retry_after
            return busy.retry_after
        except SlackShutOut:
            raise
        except (SlackUnavailable, StoreUnavailable):
            return 1.0
        except (SlackRefused, Refusal) as error:
            log.info("the status cannot be shown: %s", error)
            return None
        return None if standing(newest) == standing(session) else 0.0
