"""The steps of a session: each takes one and returns the next, or raises `Refusal` and changes
nothing. `bot.domain.transitions` decides what is lawful; the store decides who was first."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, Reason
from bot.domain.options import NO_OPTIONS
from bot.domain.publication import PublicationEvent, next_publication
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Event
from bot.domain.transitions import can, move, refusal


def approve(session: Session, image: ImageRef, user: str, now: float) -> Session:
    """`user` approves an image of the newest draft; a later attempt that failed matters no more."""
    draft = session.newest_draft
    newest = draft is not None and draft.number == image.attempt
    return _approve(session, image, user, now, lawful=newest)


def use_earlier(session: Session, image: ImageRef, user: str, now: float) -> Session:
    """`user` approves an image of an earlier draft."""
    return _approve(session, image, user, now, lawful=True)


def cancel(
    session: Session, number: int, words: str, now: float, cancelled_by: str = ""
) -> Session:
    """Stop the attempt that is under way; `words` is what the person is told."""
    if not can(session, Event.CANCEL):
        raise refusal(session, Reason.NOTHING_TO_CANCEL)
    if number != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    stopped = with_attempt(session, replace(session.latest, cancelled_by=cancelled_by))
    return attempt_failed(
        stopped, number, FailureKind.CANCELLED, words, "", now, event=Event.CANCEL
    )


def cancel_shown(session: Session, number: int) -> Session:
    """The thread shows by now that the attempt was cancelled. Nothing changes where there is no
    such attempt any more."""
    attempt = next((a for a in session.attempts if a.number == number and a.cancelled), None)
    if attempt is None:
        return session
    return with_attempt(session, replace(attempt, cancel_shown=True))


def start_over(session: Session, successor: str, now: float) -> Session:
    """Clear the store: whose it was, and where, remains, and what its messages show until they are
    retired. Once more for the same successor (a form that was sent twice) changes nothing."""
    if successor == session.restarted_as:
        return session
    moved = move(session, Event.START_OVER, now)
    return replace(
        moved,
        publication=next_publication(session.publication, PublicationEvent.START_OVER),
        task_input="",
        error_message="",
        input_used_by_process="",
        final_result=0,
        retiring_result=session.final_result,
        options=NO_OPTIONS,
        source=None,
        response_url="",
        restarts="",
        restarted_as=successor,
    )


def draft_posted(
    session: Session, number: int, message_ts: str, now: float, input_used: str = ""
) -> Session:
    """The draft is in the thread: `generating` → `user_feedback`. `input_used` is the prompt that
    its images were made from."""
    moved = move(session, Event.GENERATED, now)
    if number != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    moved = replace(moved, input_used_by_process=input_used)
    return with_attempt(moved, replace(session.attempt(number), message_ts=message_ts))


def attempt_failed(
    session: Session,
    number: int,
    kind: FailureKind,
    words: str,
    failure_ts: str,
    now: float,
    event: Event = Event.FAILED,
) -> Session:
    """The attempt brought no draft; `words` is what the person was told."""
    moved = move(session, event, now)
    if number != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    failed = replace(session.attempt(number), failure=kind, failure_ts=failure_ts)
    return replace(with_attempt(moved, failed), error_message=words)


def not_announced(
    session: Session, number: int, kind: FailureKind, words: str, failure_ts: str, now: float
) -> Session:
    """The attempt failed because its announcement was refused. The next one posts a root message of
    its own where this one cannot be edited."""
    failed = attempt_failed(session, number, kind, words, failure_ts, now)
    return replace(failed, root_ts="") if kind is FailureKind.NOT_SHOWN else failed


def _approve(session: Session, image: ImageRef, user: str, now: float, *, lawful: bool) -> Session:
    moved = move(session, Event.APPROVE, now)
    if not (lawful and session.shows(image)):
        raise refusal(session, Reason.MOVED_ON)
    approved = session.attempt(image.attempt)
    return replace(
        moved,
        task_input=approved.prompt,
        options=approved.options,
        final_result=image.attempt,
        final_candidate=image.candidate,
        approved_by=user,
        publication=next_publication(session.publication, PublicationEvent.APPROVE),
        error_message="",
    )
