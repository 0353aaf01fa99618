"""`RecentSessions`: the sessions that this process read or wrote last."""

from __future__ import annotations

from bot.adapters.redis.session_fields import from_fields
from bot.domain.session import Session

_MOST = 500
"""Sessions that are kept: more than are under way in a process."""


class RecentSessions:
    """A worker reads each of its sessions dozens of times, and mostly as it was before: what did
    not change is not parsed again. And what a process knows is mostly the newest, so that a change
    can be tried without a read: the version tells."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[dict[str, str] | None, Session]] = {}

    def latest(self, session_id: str) -> Session | None:
        """The session as it was read or written last, if this process still knows."""
        _, session = self._known.get(session_id, (None, None))
        return session

    def written(self, session: Session) -> None:
        self._keep(None, session)

    def parse(self, stored: dict[str, str]) -> Session:
        """`from_fields`, with all that it raises."""
        fields, session = self._known.get(stored.get("id", ""), (None, None))
        if session is None or fields != stored:
            session = from_fields(stored)
            self._keep(stored, session)
        return session

    def _keep(self, stored: dict[str, str] | None, session: Session) -> None:
        self._known.pop(session.id, None)
        self._known[session.id] = stored, session
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
