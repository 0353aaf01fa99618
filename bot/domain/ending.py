"""What becomes of a session's messages once an image is approved: each step is recorded, so that
whoever comes next knows what is left to do."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.errors import Reason, Refusal
from bot.domain.session import Session, asked_before, with_attempt
from bot.domain.stages import Stage


def final_posted(session: Session, ts: str) -> Session:
    """The approved image is in the channel; the first message that was recorded counts."""
    return replace(session, final_ts=session.final_ts or ts, error_message="")


def not_published(session: Session, words: str) -> Session:
    """Slack does not take the approved image; `words` is what the person was told."""
    return replace(session, error_message=words)


def publish_again(session: Session, number: int, asked_by: str = "") -> Session:
    """Once more what Slack did not take, by a job of another name. Nothing changes where that is
    on its way, or was `asked_by` the same request. Raises `Refusal` where the image is out."""
    if not session.error_message and (session.final_ts or number != session.final_result):
        raise Refusal(Reason.ALREADY_APPROVED, session.user)
    if number != session.final_result:
        raise Refusal(Reason.MOVED_ON, session.user)
    if not session.error_message or asked_before(session, asked_by):
        return session
    approved = session.attempt(number)
    approved = replace(approved, run=approved.run + 1, asked_by=asked_by or approved.asked_by)
    return replace(with_attempt(session, approved), error_message="", final_shown=False)


def final_shown(session: Session) -> Session:
    """The drafts and the status say how the approval ended. Nothing changes where the session was
    started over meanwhile, or is to be published again."""
    ended = session.stage is Stage.FINAL and is_ended(session)
    return replace(session, final_shown=True) if ended else session


def is_ended(session: Session) -> bool:
    """Whether the approved image is out, or its owner was told that it is not."""
    return bool(session.final_ts or session.error_message)


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
