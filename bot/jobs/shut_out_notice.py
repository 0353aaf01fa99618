"""What a person is told while Slack refuses the app."""

from __future__ import annotations

import logging
from contextlib import suppress

from bot.domain.errors import SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.shut_out import owner_told
from bot.ports import OwnerNotices, SessionRecords
from bot.views.words import SHUT_OUT

log = logging.getLogger(__name__)


class ShutOutNotice:
    """Tells the owner once for each attempt, by the `response_url`, which works without a token."""

    def __init__(self, sessions: SessionRecords, publisher: OwnerNotices) -> None:
        self._sessions = sessions
        self._publisher = publisher

    async def tell(self, session: Session) -> None:
        """Try once, with any result: a job that waits comes here again and again."""
        if owner_told(session) is session:
            return
        is_first = False

        def record(current: Session) -> Session:
            nonlocal is_first
            told = owner_told(current)
            is_first = told is not current
            return told

        await self._sessions.update(session.id, record)
        if is_first:
            with suppress(SlackUnavailable, SlackRefused):
                await self._publisher.tell_owner(session, SHUT_OUT)
