"""Keeps the posted drafts in step with their session."""

from __future__ import annotations

import logging

from bot.domain.ending import as_approved
from bot.domain.errors import SlackRefused
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import DraftMessages, SessionStore

log = logging.getLogger(__name__)


class Drafts:
    """Edits only those drafts whose look changes: once an image is approved that is every one, else
    the newest, because the earlier ones have been shown as such since they were overtaken."""

    def __init__(self, sessions: SessionStore, publisher: DraftMessages) -> None:
        self._sessions = sessions
        self._publisher = publisher

    async def refresh(self, session_id: str) -> None:
        """Show the drafts as the session now has them, and again where it moves on meanwhile. One
        that Slack does not take is passed over. Raises `SlackUnavailable`."""
        session = as_approved(await self._sessions.load(session_id))
        while True:
            for number in _changed(session):
                await self._edit(session, number)
            newest = as_approved(await self._sessions.load(session_id))
            if standing(newest) == standing(session):
                return
            session = newest

    async def refresh_before(self, session_id: str, number: int) -> None:
        """Show the draft that the attempt of this number overtook as it is now: whoever announced
        the attempt may have died before."""
        session = as_approved(await self._sessions.load(session_id))
        overtaken = [a.number for a in session.attempts[: number - 1] if a.message_ts]
        for last in overtaken[-1:]:
            await self._edit(session, last)

    async def _edit(self, session: Session, number: int) -> None:
        try:
            await self._publisher.refresh_draft(session, number)
        except SlackRefused as error:
            log.warning("a draft could not be shown as it is now: %s", error)


def standing(session: Session) -> tuple[Stage, int]:
    """What the messages of a session depend on, besides passing time."""
    return session.stage, len(session.attempts)


def _changed(session: Session) -> list[int]:
    """The approved draft first, then from the newest to the oldest."""
    draft = session.newest_draft
    if draft is None:
        return []
    if session.stage is not Stage.FINAL:
        return [draft.number]
    posted = [attempt.number for attempt in reversed(session.attempts) if attempt.message_ts]
    return sorted(posted, key=lambda number: number != session.final_result)
