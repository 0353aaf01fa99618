"""The newest partial image of a running attempt, shown in the thread until the draft is there.

It is a nicety and never holds an attempt up: `offer` returns at once, a partial image that Slack is
too busy for is skipped, and any other error ends the preview alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import pybase64

from bot.domain.errors import (
    ImageNotReady,
    Refusal,
    SlackBusy,
    SlackRefused,
    SlackShutOut,
    SlackUnavailable,
    StoreUnavailable,
)
from bot.domain.session import Session, with_attempt
from bot.flow.shared import under_way
from bot.ports import Previews, SessionStore
from bot.tasks import end, set_within

log = logging.getLogger(__name__)

GAP = 3.0
"""Seconds at the least between two previews: each is an upload, a message and a deletion."""
END_WITHIN = 5.0
"""Seconds that a preview which is just being posted is waited for."""

_WRONG = (SlackRefused, SlackUnavailable, StoreUnavailable, Refusal)


class LivePreview:
    """The preview of one attempt. `posted` holds the messages that are not taken away yet;
    `in_doubt` means that there may be another."""

    def __init__(
        self, sessions: SessionStore, publisher: Previews, session_id: str, number: int
    ) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._session_id = session_id
        self._number = number
        self._newest = ""
        self._woken = asyncio.Event()
        self._ended = asyncio.Event()
        self.posted: list[str] = []
        self.in_doubt = False

    def offer(self, partial: str) -> None:
        """Show this one, in base64, next; one that still waits is forgotten."""
        self._newest = partial
        self._woken.set()

    def stop(self) -> None:
        """Show no more."""
        self._ended.set()
        self._woken.set()

    async def run(self) -> None:
        """Until `stop`, or until something goes wrong."""
        try:
            while True:
                await self._woken.wait()
                if self._ended.is_set():
                    return
                self._woken.clear()
                await set_within(self._ended, await self._show(self._newest))
        except _WRONG as error:
            log.info("no more previews: %s", type(error).__name__)
        except ValueError:
            log.info("no more previews: one is no base64")

    async def _show(self, partial: str) -> float:
        """Answers the seconds until there may be another."""
        data = pybase64.b64decode(partial)
        session = await self._sessions.load(self._session_id)
        if not under_way(session, self._number) or self._ended.is_set():
            return GAP
        self.in_doubt = True
        try:
            ts = await self._publisher.post_preview(session, self._number, data)
        except (SlackBusy, ImageNotReady) as error:
            self.in_doubt = False
            log.debug("a preview was skipped: %s", type(error).__name__)
            return max(GAP, error.retry_after) if isinstance(error, SlackBusy) else GAP
        before, self.posted = self.posted, [*self.posted, ts]
        await self._sessions.update(self._session_id, lambda s: _shown(s, self._number, ts))
        self.in_doubt = False
        for old in before:
            await self._publisher.remove_preview(session, self._number, old)
            self.posted.remove(old)
        return GAP


class LivePreviews:
    """The previews of every attempt that runs here. Where they are not `enabled`, all that is
    left to do is to take away what an earlier run has recorded."""

    def __init__(self, sessions: SessionStore, publisher: Previews, *, enabled: bool) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self.enabled = enabled
        self._running: dict[tuple[str, int], LivePreview] = {}

    def offer(self, session_id: str, number: int, partial: str) -> None:
        if preview := self._running.get((session_id, number)):
            preview.offer(partial)

    def stop(self, session_id: str, number: int) -> None:
        """The images are there: what is only partial would come too late."""
        if preview := self._running.get((session_id, number)):
            preview.stop()

    @asynccontextmanager
    async def showing(self, session: Session, *, repeated: bool) -> AsyncIterator[None]:
        """Show what is offered for the newest attempt while the body runs, and take it away when
        that has come to its end. A run that is broken off leaves that to whoever goes on."""
        number, left = session.latest.number, session.latest.preview_ts
        if not self.enabled:
            yield
            await self.clear(session.id, number, [left])
            return
        preview = LivePreview(self._sessions, self._publisher, session.id, number)
        preview.posted += [left] if left else []
        self._running[session.id, number] = preview
        running = asyncio.create_task(preview.run())
        try:
            yield
            preview.stop()
            await asyncio.wait({running}, timeout=END_WITHIN)
        finally:
            await end(running)
            if self._running.get((session.id, number)) is preview:
                del self._running[session.id, number]
        await self.clear(session.id, number, preview.posted, look=repeated or preview.in_doubt)

    async def clear(
        self, session_id: str, number: int, posted: Iterable[str] = (), *, look: bool = False
    ) -> None:
        """Take previews away; with `look`, also one that was posted and not recorded. What cannot
        be taken away is left. Raises `SlackShutOut`: it can be later."""
        known = [ts for ts in posted if ts]
        for ts in [*known, *([""] if look and self.enabled else [])]:
            try:
                await self._remove(session_id, number, ts)
            except SlackShutOut:
                raise
            except _WRONG as error:
                log.warning("a preview was left in its thread: %s", type(error).__name__)

    async def _remove(self, session_id: str, number: int, ts: str) -> None:
        session = await self._sessions.load(session_id)
        await self._publisher.remove_preview(session, number, ts)
        await self._sessions.update(session_id, lambda s: _gone(s, number, ts))


def _shown(session: Session, number: int, ts: str) -> Session:
    """The session with this as the preview of the attempt, which may be gone by now."""
    if number > len(session.attempts):
        return session
    return with_attempt(session, replace(session.attempt(number), preview_ts=ts))


def _gone(session: Session, number: int, ts: str) -> Session:
    recorded = number <= len(session.attempts) and session.attempt(number).preview_ts
    return _shown(session, number, "") if recorded and recorded == ts else session
