"""`list` and `cancel`, asked for by command and by mention alike, and how far an image is."""

from __future__ import annotations

from bot.domain.discard import can_be_discarded
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.service import RequestOrigin
from bot.slack.listening import ListenerDependencies
from bot.views.blocks import Message
from bot.views.lists import cancelled_words, list_words, status_message
from bot.views.offers import discard_offer

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
        session, may_direct = await dependencies.services.replies.session_in_thread(origin)
        if session is not None:
            return status_message(session, may_direct=may_direct)
    return Message(await list_sessions(dependencies, origin), [])


async def cancel(
    dependencies: ListenerDependencies, origin: RequestOrigin
) -> tuple[Session | None, Message]:
    """Stop what the person has under way in this thread, or else their newest attempt; answer which
    it was. Where no image is being made, offer to discard the session that this is about. Raises
    `Refusal(NOTHING_TO_CANCEL)` where there is none."""
    try:
        session, words = await _stop(dependencies, origin)
    except Refusal as refusal:
        if refusal.reason is not Reason.NOTHING_TO_CANCEL:
            raise
        waiting = await dependencies.services.replies.session_of_button(origin)
        if waiting is None or not _offers_discard(waiting):
            raise
        return None, discard_offer(waiting)
    return session, Message(words, [])


def _offers_discard(session: Session) -> bool:
    """Whether the person is offered to discard the session, or told that it is discarded. A session
    without a draft whose newest attempt was cancelled has ended already, for the person."""
    if session.discarded or not session.attempts:
        return session.discarded
    has_ended = session.newest_draft is None and session.latest.cancelled
    return can_be_discarded(session) and not has_ended


async def _stop(dependencies: ListenerDependencies, origin: RequestOrigin) -> tuple[Session, str]:
    services = dependencies.services
    if origin.thread_ts:
        session = await services.replies.cancel(origin)
        if session is not None:
            return session, cancelled_words(session, 0)
    session, others = await services.decisions.cancel_newest(origin)
    return session, cancelled_words(session, others)
