"""What becomes of a session's messages once an image is approved: each step is recorded, so that
whoever comes next knows what is left to do."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.errors import Reason, Refusal
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage


def final_posted(session: Session, ts: str) -> Session:
    """The approved image is in the channel; the first message that was recorded counts."""
    return replace(session, final_ts=session.final_ts or ts)


def not_published(session: Session, words: str) -> Session:
    """Slack does not take the approved image; `words` is what the person was told."""
    return replace(session, error_message=words)


def publish_again(session: Session, number: int) -> Session:
    """Once more what Slack did not take, by a job of another name. Raises `Refusal` where the image
    is out, or on its way."""
    if not session.error_message:
        raise Refusal(Reason.ALREADY_APPROVED, session.user)
    if number != session.final_result:
        raise Refusal(Reason.MOVED_ON, session.user)
    approved = session.attempt(number)
    again = with_attempt(session, replace(approved, run=approved.run + 1))
    return replace(again, error_message="", final_shown=False)


def final_shown(session: Session) -> Session:
    """The drafts and the status say that the session is approved. Nothing changes where it was
    started over meanwhile."""
    return replace(session, final_shown=True) if session.stage is Stage.FINAL else session


def as_approved(session: Session) -> Session:
    """The session as its messages show it: one that was started over still shows what had been
    approved."""
    if not session.retiring:
        return session
    approved = session.attempt(session.retiring)
    return replace(
        session,
        stage=Stage.FINAL,
        final_result=session.retiring,
        task_input=approved.prompt,
        options=approved.options,
    )


def retired(session: Session) -> Session:
    """Its messages are in their last state: nothing more has to be known of it."""
    return replace(
        session, retiring=0, error_message="", final_candidate=1, approved_by="", attempts=()
    )
