"""What a person is told while Slack refuses the app."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace

from bot.domain.errors import SlackRefused, SlackUnavailable
from bot.domain.session import Session, with_attempt
from bot.ports import OwnerNotices, SessionStore
from bot.views.words import SHUT_OUT

log = logging.getLogger(__name__)


class ShutOutNotice:
    """Told once for each attempt, by the `response_url`, which works without a token."""

    def __init__(self, sessions: SessionStore, publisher: OwnerNotices) -> None:
        self._sessions = sessions
        self._publisher = publisher

    async def tell(self, session: Session) -> None:
        """Tried once, whatever comes of it: a job that waits comes here again and again."""
        if not session.attempts or session.latest.told_of_shut_out:
            return
        told_before = True

        def telling(current: Session) -> Session:
            nonlocal told_before
            told_before = not current.attempts or current.latest.told_of_shut_out
            if told_before:
                return current
            return with_attempt(current, replace(current.latest, told_of_shut_out=True))

        await self._sessions.update(session.id, telling)
        if not told_before:
            with suppress(SlackUnavailable, SlackRefused):
                await self._publisher.tell_owner(session, SHUT_OUT)
