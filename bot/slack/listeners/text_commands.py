"""`list` and `cancel`, asked for by command and by mention alike, and how far an image is."""

from __future__ import annotations

from bot.domain.session import Session
from bot.service import RequestOrigin
from bot.slack.listening import ListenerDependencies
from bot.views.blocks import Message
from bot.views.lists import cancelled_words, list_words, status_message

LISTED = 10
"""Sessions in one list; the Home tab has them all."""


async def list_sessions(dependencies: ListenerDependencies, origin: RequestOrigin) -> str:
    """The person's sessions in progress, in words."""
    library = dependencies.services.library
    sessions, total = await library.working(origin.team, origin.owner, LISTED)
    return list_words(sessions, total, dependencies.identity.url)


async def status(dependencies: ListenerDependencies, origin: RequestOrigin) -> Message:
    """How far the image of this thread is; elsewhere, what the person has in progress."""
    if origin.thread_ts:
        session, may_direct = await dependencies.services.replies.session_there(origin)
        if session is not None:
            return status_message(session, may_direct=may_direct)
    return Message(await list_sessions(dependencies, origin), [])


async def cancel(dependencies: ListenerDependencies, origin: RequestOrigin) -> tuple[Session, str]:
    """Stop what the person has under way in this thread, or else their newest attempt; answer the
    words that say which it was."""
    services = dependencies.services
    if origin.thread_ts:
        session = await services.replies.cancel(origin)
        if session is not None:
            return session, cancelled_words(session, 0)
    session, others = await services.decisions.cancel_newest(origin)
    return session, cancelled_words(session, others)
