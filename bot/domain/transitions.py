"""What a session may do now: the table of `bot.domain.stages`, and the guards that it can't tell.

`can` answers a question. `check_can` raises `Refusal` with the reason for a person. `move` makes
the move. All three ask the same two rules: a session that was started over takes no event, and any
other takes those of its stage.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.errors import NOT_ANNOUNCED, Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import TRANSITIONS, Event, Stage, next_stage


def allowed_events(session: Session) -> frozenset[Event]:
    """The events that the session takes now."""
    return frozenset() if session.started_over else frozenset(TRANSITIONS[session.stage])


def can(session: Session, event: Event) -> bool:
    return event in allowed_events(session)


def check_can(session: Session, event: Event) -> None:
    """Raises `Refusal` where the session does not take the event now."""
    if not can(session, event):
        raise refusal(session, _why_not(session))


def check_current(session: Session, event: Event, number: int) -> None:
    """Raises `Refusal` where the button of attempt `number` does not lead to the event now. The
    buttons of the newest draft and of the newest failure are live; an older one comes too late."""
    check_can(session, event)
    draft = session.newest_draft
    current = {len(session.attempts), _newest_shown(session), draft.number if draft else 0} - {0}
    if number not in current:
        raise refusal(session, _why_not(session))


def move(session: Session, event: Event, now: float) -> Session:
    """The session in its next stage. Raises `Refusal`."""
    check_can(session, event)
    stage = next_stage(session.stage, event, has_image=session.newest_draft is not None)
    return replace(session, stage=stage, updated_at=now)


def refusal(session: Session, reason: Reason) -> Refusal:
    """One that names the session's owner."""
    return Refusal(reason, session.user)


def _why_not(session: Session) -> Reason:
    if session.started_over:
        return Reason.STARTED_OVER
    if session.stage is Stage.GENERATING:
        return Reason.STILL_WORKING
    if session.stage is Stage.FINAL:
        return Reason.ALREADY_APPROVED
    return Reason.MOVED_ON


def _newest_shown(session: Session) -> int:
    """The newest attempt that has a message with buttons: what could not be announced has none."""
    shown = (
        a for a in reversed(session.attempts) if a.failure not in NOT_ANNOUNCED or a.failure_ts
    )
    return next((attempt.number for attempt in shown), 0)
