"""Keeps the drafts of a session, and the failure before its newest attempt, in step with it.

Every edit is rendered from the session as the store has it at that moment, so the last edit, by any
process, shows the newest state.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from bot.domain.errors import SlackRefused
from bot.domain.session import Session
from bot.domain.stages import Discard, Stage
from bot.ports import DraftMessages, SessionRecords

log = logging.getLogger(__name__)

DRAFTS_EDITED = 3
"""The newest drafts, whose buttons follow each attempt. So the edits of an attempt do not grow with
the drafts before it. An older draft keeps the buttons that it has, and a click on one is judged on
the server."""


def shown_state(session: Session) -> tuple[Stage, int, bool]:
    """The state that the messages of a session depend on, besides the time."""
    return session.stage, len(session.attempts), session.discarded


class DraftRefresher:
    """Edits the drafts whose look changes: with each attempt the newest `DRAFTS_EDITED`, and all of
    them when the session ends, or goes on after Undo."""

    def __init__(self, sessions: SessionRecords, publisher: DraftMessages) -> None:
        self._sessions = sessions
        self._publisher = publisher

    async def refresh(self, session_id: str, before: int = 0) -> None:
        """Show the drafts, and the failure before the newest attempt, as the session now has them,
        and again where it changes meanwhile. With `before`, only the drafts before the attempt of
        this number, whose own draft is new. A message that Slack does not take is passed over.
        Raises `SlackUnavailable`."""
        session = await self._sessions.load(session_id)
        while True:
            for number in _drafts_to_edit(session, before):
                await self._edit(partial(self._publisher.refresh_draft, session, number))
            if session.failure_before:
                await self._edit(partial(self._publisher.refresh_failure, session))
            newest = await self._sessions.load(session_id)
            if shown_state(newest) == shown_state(session):
                return
            session = newest

    async def _edit(self, edit: Callable[[], Awaitable[None]]) -> None:
        try:
            await edit()
        except SlackRefused as error:
            log.warning("a draft or a failure could not be shown as it is now: %s", error)


def _drafts_to_edit(session: Session, before: int) -> list[int]:
    """The numbers of their attempts, the newest first, but an approved one before it."""
    attempts = session.attempts[: before - 1] if before else session.attempts
    posted = [attempt.number for attempt in reversed(attempts) if attempt.has_draft]
    if session.stage is not Stage.FINAL and session.discard is Discard.KEPT:
        return posted[:DRAFTS_EDITED]
    if not before:
        posted.sort(key=lambda number: number != session.final_result)
    return posted
