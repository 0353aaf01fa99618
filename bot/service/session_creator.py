"""Stores a new session, or takes it back where that is in doubt."""

from __future__ import annotations

import asyncio

from bot.concurrency import BackgroundTasks
from bot.domain.errors import StoreUnavailable
from bot.domain.session import Session
from bot.ports import SessionStore
from bot.telemetry.context import set_log_fields

_RETRACT_FOR = 300.0
"""Seconds."""
_RETRACT_AGAIN = 0.5


class SessionCreator:
    """`tasks` take back what nobody waits for."""

    def __init__(self, sessions: SessionStore, tasks: BackgroundTasks) -> None:
        self._sessions = sessions
        self._tasks = tasks

    async def create(self, session: Session) -> Session:
        """Answers the session that is there where the id is taken already.

        Where the store's answer is lost, the session may be there all the same, and the person is
        told to try again: it is taken back. Who waits for a slow store gives up by cancelling.
        """
        set_log_fields(session.id)
        try:
            return await self._sessions.create(session)
        except (StoreUnavailable, asyncio.CancelledError):
            self._tasks.spawn(self._retract(session.id))
            raise

    async def _retract(self, session_id: str) -> None:
        async with asyncio.timeout(_RETRACT_FOR):
            while True:
                try:
                    return await self._sessions.discard(session_id)
                except StoreUnavailable:
                    await asyncio.sleep(_RETRACT_AGAIN)
