"""The newest partial image of a running attempt, shown in the thread until the draft is there.

An attempt never waits for its preview: `offer` returns at once, a partial image is skipped while
Slack is busy, and any other error ends only the preview.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pybase64

from bot.concurrency import cancel_and_wait, wait_for_event
from bot.domain.attempt import ImageRef
from bot.domain.errors import (
    ImageNotReady,
    SlackAppBlocked,
    SlackBusy,
    SlackRefused,
    SlackUnavailable,
    StoreUnavailable,
)
from bot.domain.generation import is_generating, preview_of, preview_removed, preview_shown
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.ports import Previews, SessionRecords

log = logging.getLogger(__name__)

GAP = 3.0
"""Seconds between two previews, at the least. Each is an upload, a message and a deletion."""
END_WITHIN = 5.0
"""Seconds to wait for a preview that is being posted."""

_ERRORS = (SlackRefused, SlackUnavailable, StoreUnavailable, Refusal)


class LivePreview:
    """The preview of one attempt: the newest partial image of any candidate that this process
    makes. `runs` counts the runs of these candidates. `in_doubt`: a preview may have been posted
    and not recorded, or recorded after its attempt had ended."""

    def __init__(
        self, sessions: SessionRecords, publisher: Previews, session_id: str, number: int
    ) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self._session_id = session_id
        self._number = number
        self._newest = (0, "")
        self._woken = asyncio.Event()
        self._ended = asyncio.Event()
        self.in_doubt = False
        self.runs = 0
        self.running = asyncio.create_task(self.run())

    def offer(self, candidate: int, partial: str) -> None:
        """Show this partial image, in base64, next. It replaces one that waits."""
        self._newest = (candidate, partial)
        self._woken.set()

    def stop(self) -> None:
        """Show no more."""
        self._ended.set()
        self._woken.set()

    async def run(self) -> None:
        """Show the offered images, until `stop` or an error."""
        try:
            while True:
                await self._woken.wait()
                if self._ended.is_set():
                    return
                self._woken.clear()
                await wait_for_event(self._ended, await self._show(*self._newest))
        except _ERRORS as error:
            log.info("no more previews: %s", type(error).__name__)
        except ValueError:
            log.info("no more previews: one is no base64")

    async def _show(self, candidate: int, partial: str) -> float:
        """Returns the seconds until the next preview may come. A candidate that is made by now
        shows no preview."""
        data = pybase64.b64decode(partial)
        session = await self._sessions.load(self._session_id)
        if not is_generating(session, self._number) or self._ended.is_set():
            return GAP
        if session.latest.candidate(candidate).is_made:
            return 0.0
        self.in_doubt = True
        try:
            ts = await self._publisher.post_preview(session, self._number, data)
        except (SlackBusy, ImageNotReady) as error:
            self.in_doubt = False
            log.debug("a preview was skipped: %s", type(error).__name__)
            return max(GAP, error.retry_after) if isinstance(error, SlackBusy) else GAP
        await self._record(ts)
        return GAP

    async def _record(self, ts: str) -> None:
        """Record a preview, and remove the one that it replaces: another process may have recorded
        that one meanwhile."""
        replaced = ""

        def record(session: Session) -> Session:
            nonlocal replaced
            replaced = preview_of(session, self._number)
            return preview_shown(session, self._number, ts)

        session = await self._sessions.update(self._session_id, record)
        self.in_doubt = not is_generating(session, self._number)
        if replaced and replaced != ts:
            await self._publisher.remove_preview(session, self._number, replaced)


class LivePreviews:
    """The previews of all images that this process makes. Where they are not `enabled`, it only
    removes the previews that an earlier run recorded."""

    def __init__(self, sessions: SessionRecords, publisher: Previews, *, enabled: bool) -> None:
        self._sessions = sessions
        self._publisher = publisher
        self.enabled = enabled
        self._running: dict[tuple[str, int], LivePreview] = {}

    def offer(self, session_id: str, image: ImageRef, partial: str) -> None:
        if preview := self._running.get((session_id, image.attempt)):
            preview.offer(image.candidate, partial)

    @asynccontextmanager
    async def showing(self, session_id: str, image: ImageRef) -> AsyncIterator[None]:
        """Show the partial images of an image while the body runs. The last preview stays until the
        next one, or until `clear`."""
        if not self.enabled:
            yield
            return
        key = session_id, image.attempt
        if key not in self._running:
            self._running[key] = LivePreview(self._sessions, self._publisher, *key)
        preview = self._running[key]
        preview.runs += 1
        try:
            yield
            if preview.runs == 1:  # the last one
                del self._running[key]
                preview.stop()
                await asyncio.wait({preview.running}, timeout=END_WITHIN)
        finally:
            preview.runs -= 1
            if not preview.runs:
                if self._running.get(key) is preview:
                    del self._running[key]
                await cancel_and_wait(preview.running)
        if preview.in_doubt and not preview.runs:
            await self.clear(session_id, image.attempt, search=True)

    async def clear(self, session_id: str, number: int, *, search: bool = False) -> None:
        """Remove the attempt's preview; with `search`, also one that was posted and not recorded. A
        preview that Slack does not remove stays. Raises `SlackAppBlocked`, because a later run can
        remove it."""
        try:
            session = await self._sessions.load(session_id)
            if recorded := preview_of(session, number):
                await self._publisher.remove_preview(session, number, recorded)
                await self._sessions.update(
                    session_id, lambda s: preview_removed(s, number, recorded)
                )
            if search and self.enabled:
                await self._publisher.remove_preview(session, number, "")
        except SlackAppBlocked:
            raise
        except _ERRORS as error:
            log.warning("a preview was left in its thread: %s", type(error).__name__)
