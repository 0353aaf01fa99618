"""Discard ends a session without an approval; Undo takes it up again within `UNDO_FOR`."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.refusals import Reason
from bot.domain.session import DISCARD_SCHEMA, SCHEMA, Session, can_be_restored
from bot.domain.stages import DISCARDABLE, DiscardEvent, Stage
from bot.domain.transitions import cancel, move_discard, refusal, why_not


def can_be_discarded(session: Session) -> bool:
    """Whether there is something to end: not in an empty form, nor after the approval."""
    return session.stage in DISCARDABLE and bool(session.attempts) and not session.discarded


def discard(
    session: Session, number: int, user: str, words: str, now: float, idempotency_key: str = ""
) -> Session:
    """`user` ends the session without an approval, when attempt `number` is the newest. An attempt
    that is being made is cancelled first; `words` is what is said of that. The same request,
    delivered twice, counts once. Raises `Refusal`."""
    if session.discarded or (idempotency_key and session.discard_key == idempotency_key):
        return session
    if not can_be_discarded(session):
        raise refusal(session, why_not(session))
    if number != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    if session.stage is Stage.GENERATING:
        session = cancel(session, number, words, now, idempotency_key, user)
    return replace(
        move_discard(session, DiscardEvent.DISCARD),
        schema=DISCARD_SCHEMA,
        discarded_at=now,
        discarded_by=user,
        discard_key=idempotency_key,
        discard_run=session.discard_run + 1,
        updated_at=now,
    )


def undo_discard(session: Session, user: str, now: float) -> Session:
    """`user` takes a discarded session up again. Nothing changes where somebody did that before.
    Raises `Refusal` after `UNDO_FOR`."""
    if not session.discarded:
        return session
    if not can_be_restored(session.discarded_at, now):
        raise refusal(session, Reason.UNDO_EXPIRED)
    return replace(
        move_discard(session, DiscardEvent.UNDO),
        schema=SCHEMA,
        restored_by=user,
        discard_run=session.discard_run + 1,
        updated_at=now,
    )
