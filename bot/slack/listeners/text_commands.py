"""What can be asked for by command and by mention alike."""

from __future__ import annotations

from bot.domain.session import Session
from bot.service import Place
from bot.slack.listeners.dependencies import Desk
from bot.views.lists import cancelled_words, list_words

LISTED = 10
"""Sessions in one list; the Home tab has them all."""


async def list_of(desk: Desk, place: Place) -> str:
    """The person's sessions in progress, in words."""
    sessions, total = await desk.portfolio.working(place.team, place.owner, LISTED)
    return list_words(sessions, total, desk.identity.url)


async def cancel_newest(desk: Desk, place: Place) -> tuple[Session, str]:
    """Stop the person's newest attempt, and say which it was."""
    direction = desk.direction
    session, others = await direction.cancel_newest(place)
    return session, cancelled_words(session, others)


async def cancel_here(desk: Desk, place: Place) -> tuple[Session, str]:
    """The same for a session's thread; anywhere else it is the newest one."""
    if place.thread_ts:
        session = await desk.direction.cancel_in_thread(place)
        if session is not None:
            return session, cancelled_words(session, 0)
    return await cancel_newest(desk, place)
