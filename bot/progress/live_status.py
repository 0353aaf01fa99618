"""Keeps the status of a session up to date: in its root message, its newest draft or its failure.

Every edit is rendered from the session as the store has it at that moment, so the last edit, by any
process, shows the newest state. While a worker works on a session, a new step is shown at once and
the seconds every few seconds, less often the more sessions are followed. After a rate limit the
status is rendered anew; the last status is always sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.concurrency import wait_for_event
from bot.domain.errors import (
    SlackAppBlocked,
    SlackBusy,
    SlackRefused,
    SlackUnavailable,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import Priority, SessionVersions, StatusMessages
from bot.progress.draft_refresher import shown_state
from bot.work_slots import only_showing

log = logging.getLogger(__name__)

INTERVAL = 4.0
"""Seconds between edits that show only the seconds."""
SHARE = 0.375
"""The part of the interval for each followed session: 1.5 s between two such edits of a process.
Slack allows 50 a minute in a workspace, and edits that show a new step need some of them."""
GAP = 1.0
"""Seconds between two edits of one message, at the least, while few sessions are followed. With
many sessions a short step is not shown, because its edit would delay others."""
FIRST_EDIT_WITHIN = 0.5
LAST_EDIT_WITHIN = 600.0
"""Seconds: a workspace takes 50 edits a minute, and hundreds of sessions may end at once."""


@dataclass
class _Followed:
    """A session whose status is kept up to date. `woken`: there is something new to show.
    `candidates` are those that this process makes; 0 stands for the attempt as a whole. `edits`
    counts the edits."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    candidates: list[int] = field(default_factory=list)
    edits: int = 0
    ticking: asyncio.Task[None] | None = None


class LiveStatus:
    """Edits the status of any session. `interval` is in seconds. Where there is a draft or a
    failure, the person looks at it rather than at the root: of the edits while the work goes on,
    every other one is its own, beginning with the first."""

    def __init__(
        self, sessions: SessionVersions, publisher: StatusMessages, interval: float = INTERVAL
    ) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._interval = interval
        self._followed: dict[str, _Followed] = {}
        self._troubles: dict[str, StoreTrouble] = {}
        self._busy_until = 0.0

    @asynccontextmanager
    async def following(self, session_id: str, candidate: int = 0) -> AsyncIterator[None]:
        """Keep the status up to date while the body runs. After the last body of a session it is
        shown once more."""
        followed = self._followed.setdefault(session_id, _Followed())
        followed.candidates.append(candidate)
        followed.ticking = followed.ticking or asyncio.create_task(self._tick(session_id, followed))
        try:
            yield
        finally:
            followed.candidates.remove(candidate)
            followed.woken.set()
            if not followed.candidates:
                del self._followed[session_id]
                followed.ended.set()
                await followed.ticking
        if not followed.candidates:
            shown_by = followed if candidate else None
            await self.show_now(session_id, shown_by, priority=Priority.EDIT)

    def changed(self, session_id: str) -> None:
        """Show the session's new step soon, where this process follows it."""
        if followed := self._followed.get(session_id):
            followed.woken.set()

    def waits_for(self, session_id: str, trouble: StoreTrouble | None) -> None:
        """Show why the store does not take the session's writes; None where it takes them again."""
        before = self._troubles.pop(session_id, None)
        if trouble is not None:
            self._troubles[session_id] = trouble
        if trouble is not before:
            self.changed(session_id)

    async def show_now(
        self,
        session_id: str,
        followed: _Followed | None = None,
        priority: Priority = Priority.ANSWER,
    ) -> bool:
        """Send the current status, and wait through short rate limits and outages. Returns False
        where it could not be sent within `LAST_EDIT_WITHIN`. Raises `SlackAppBlocked`."""
        try:
            with only_showing():
                async with asyncio.timeout(LAST_EDIT_WITHIN):
                    wait = await self._edit(session_id, followed, waits=priority)
                    while wait is not None:
                        await asyncio.sleep(wait)
                        wait = await self._edit(session_id, followed, waits=priority)
        except TimeoutError:
            log.warning("the last status could not be shown")
            return False
        return True

    async def _tick(self, session_id: str, followed: _Followed) -> None:
        await wait_for_event(followed.woken, min(FIRST_EDIT_WITHIN, self._interval))
        while not followed.ended.is_set():
            followed.woken.clear()
            if time.monotonic() >= self._busy_until:
                with suppress(SlackAppBlocked):
                    await self._edit(session_id, followed, in_thread=followed.edits % 2 == 0)
                followed.edits += 1
            slowdown = max(1.0, SHARE * len(self._followed))
            gap = min(GAP, self._interval)
            await wait_for_event(followed.ended, gap * slowdown)
            await wait_for_event(followed.woken, (self._interval - gap) * slowdown)

    async def _edit(
        self,
        session_id: str,
        followed: _Followed | None,
        *,
        waits: Priority | None = None,
        in_thread: bool = False,
    ) -> float | None:
        """Edit once: the root, or `in_thread` the newest draft or the failure after it, where an
        attempt follows it. An edit that `waits` for its turn shows what there is then. What the
        session has left behind meanwhile is edited again. Returns None when done, or the seconds to
        wait before the next try. Raises `SlackAppBlocked`."""
        try:
            session = await self._sessions.load(session_id)
            if waits is not None and _is_edited_here(session, followed):
                await self._publisher.status_turn(waits, LAST_EDIT_WITHIN)
                session = await self._sessions.load(session_id)
            if not _is_edited_here(session, followed):
                return None
            return await self._show(session, has_turn=waits is not None, in_thread=in_thread)
        except SlackBusy as busy:
            self._busy_until = time.monotonic() + busy.retry_after
            return busy.retry_after
        except SlackAppBlocked:
            raise
        except (SlackUnavailable, StoreUnavailable):
            return 1.0
        except (SlackRefused, Refusal) as error:
            log.info("the status cannot be shown: %s", error)
            return None

    async def _show(self, session: Session, *, has_turn: bool, in_thread: bool) -> float | None:
        """Show the status of the loaded session, and answer what `_edit` answers. Raises what the
        store and Slack raise."""
        trouble = self._troubles.get(session.id)
        last = session.failure_before or session.newest_draft
        in_thread = in_thread and session.stage is Stage.GENERATING and last is not None
        if in_thread and trouble is None:
            await self._publisher.show_thread_status(session)
        else:
            await self._publisher.show_status(session, None, waits_for=trouble, has_turn=has_turn)
        if await self._sessions.versions([session.id]) == [session.version]:
            return None
        newest = await self._sessions.load(session.id)
        if shown_state(newest) == shown_state(session):
            return None
        if in_thread:
            await self._refresh_last(newest, session)
        return 0.0

    async def _refresh_last(self, newest: Session, edited: Session) -> None:
        """Show the message that was edited with the status as the session now has it."""
        if edited.failure_before:
            await self._publisher.refresh_failure(newest)
        elif edited.newest_draft:
            await self._publisher.refresh_draft(newest, edited.newest_draft.number)


def _is_edited_here(session: Session, followed: _Followed | None) -> bool:
    """Of several processes that make images of one attempt, only the one with the status candidate
    edits."""
    here = set(followed.candidates if followed else (0,))
    mine = session.stage is not Stage.GENERATING or here & {0, session.latest.status_candidate}
    return bool(session.root_ts and mine)
