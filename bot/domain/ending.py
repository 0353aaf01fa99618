"""What becomes of a session's messages once an image is approved: each step is recorded, so that
whoever comes next knows what is left to do."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.session import Session
from bot.domain.stages import Stage


def final_posted(session: Session, ts: str) -> Session:
    """The approved image is in the channel; the first message that was recorded counts."""
    return replace(session, final_ts=session.final_ts or ts)


def not_published(session: Session, words: str) -> Session:
    """Slack does not take the approved image; `words` is what the person was told."""
    return replace(session, error_message=words)


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
