"""The transitions of a session: the checks, and the decisions of people. What is recorded of the
publication of an approved image is in `bot.domain.publication`.

`can` answers a question. `check_can` raises `Refusal` with the reason for a person. `move` makes
the move. All three ask the same two rules: a session that was discarded takes no event, and any
other takes those of its stage. `move_publication` moves the publication, or raises
`Refusal`. A transition takes a session and returns the next one, or raises `Refusal` and changes
nothing; the store decides which of two was first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import (
    KeptWords,
    Session,
    with_attempt,
)
from bot.domain.slack_refusals import NOT_ANNOUNCED
from bot.domain.stages import (
    DISCARDS,
    PUBLICATIONS,
    TRANSITIONS,
    Discard,
    DiscardEvent,
    Event,
    Fork,
    PublicationEvent,
    Stage,
)

MOST_KEPT_WORDS = 5
"""What was said while one attempt was being made: each has its buttons in the draft."""


def can(session: Session, event: Event) -> bool:
    return event in TRANSITIONS[session.stage] and not session.discarded


def check_can(session: Session, event: Event) -> None:
    """Raises `Refusal` where the session does not take the event now."""
    if not can(session, event):
        raise refusal(session, why_not(session))


def check_current(session: Session, event: Event, number: int) -> None:
    """Raises `Refusal` where the session does not take the event from a button of attempt `number`.
    The buttons of the newest draft and of the newest failure work; older buttons are refused."""
    check_can(session, event)
    draft = session.newest_draft
    current = {len(session.attempts), _newest_shown(session), draft.number if draft else 0} - {0}
    if number not in current:
        raise refusal(session, why_not(session))


def move(session: Session, event: Event, now: float, **changes: Any) -> Session:
    """The session in its next stage, with these other fields changed. Raises `Refusal`."""
    check_can(session, event)
    target = TRANSITIONS[session.stage][event]
    if isinstance(target, Fork):
        target = target.without if session.newest_draft is None else target.with_image
    return replace(session, stage=target, updated_at=now, **changes)


def refusal(session: Session, reason: Reason) -> Refusal:
    """A refusal that names the session's owner."""
    return Refusal(reason, session.user)


class AlreadyApproved(Refusal):
    """`change` is said in the thread after the approval; `session` holds the image."""

    def __init__(self, session: Session, change: str) -> None:
        super().__init__(Reason.ALREADY_APPROVED, session.user)
        self.session = session
        self.change = change


def approve(session: Session, image: ImageRef, user: str, now: float) -> Session:
    """`user` approves an image of the newest draft, also after a later attempt has failed."""
    draft = session.newest_draft
    if draft is None or draft.number != image.attempt:
        check_can(session, Event.APPROVE)
        raise refusal(session, Reason.MOVED_ON)
    return use_earlier(session, image, user, now)


def use_earlier(session: Session, image: ImageRef, user: str, now: float) -> Session:
    """`user` approves an image of any draft in the thread."""
    moved = move_publication(move(session, Event.APPROVE, now), PublicationEvent.APPROVE)
    if not session.shows(image):
        raise refusal(session, Reason.MOVED_ON)
    approved = session.attempt(image.attempt)
    return replace(
        moved,
        task_input=approved.prompt,
        options=approved.options,
        final_result=image.attempt,
        final_candidate=image.candidate,
        approved_by=user,
        final_file_id="",
        error_message="",
    )


def cancel(
    session: Session,
    number: int,
    words: str,
    now: float,
    cancelled_by: str = "",
    user: str = "",
) -> Session:
    """`user` stops the attempt that is being generated; `words` is the text that the person is
    told."""
    if not can(session, Event.CANCEL):
        raise refusal(session, Reason.NOTHING_TO_CANCEL)
    if number != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    cancelled = replace(
        session.latest,
        failure=FailureKind.CANCELLED,
        failure_ts="",
        cancelled_by=cancelled_by,
        cancelled_user=user,
    )
    moved = move(session, Event.CANCEL, now)
    return replace(with_attempt(moved, cancelled), error_message=words)


def cancel_shown(session: Session, number: int) -> Session:
    """Records that the thread shows the cancellation. Nothing changes where the attempt is gone."""
    attempt = next((a for a in session.attempts if a.number == number and a.cancelled), None)
    if attempt is None:
        return session
    return with_attempt(session, replace(attempt, cancel_shown=True))


def keep_words(session: Session, words: KeptWords) -> Session:
    """Keep what was said while the newest attempt is being made, for its draft. The same words,
    delivered twice, are kept once. Raises `Refusal` where no draft is being made that would show
    them, or too much is kept already."""
    if any(kept.question_id == words.question_id for kept in session.kept_words):
        return session
    waits = session.stage is Stage.GENERATING and not session.latest.is_generated
    if not waits or words.attempt != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    if len(session.words_for(session.latest)) >= MOST_KEPT_WORDS:
        raise refusal(session, Reason.STILL_WORKING)
    return replace(session, kept_words=(*session.kept_words, words)[-2 * MOST_KEPT_WORDS :])


def discard_shown(session: Session, shown: Discard) -> Session:
    """Records that the messages show this state. Nothing changes where it is another by now, or
    they showed it before."""
    if session.discard is not shown or DiscardEvent.SHOW not in DISCARDS[shown]:
        return session
    return move_discard(session, DiscardEvent.SHOW)


def move_discard(session: Session, event: DiscardEvent) -> Session:
    """Raises `Refusal` where the table has no next state."""
    target = DISCARDS[session.discard].get(event)
    if target is None:
        raise refusal(session, why_not(session))
    return replace(session, discard=target)


def move_publication(session: Session, event: PublicationEvent) -> Session:
    """The session with its publication in its next state. Raises `Refusal` where the table has
    none."""
    target = PUBLICATIONS[session.publication].get(event)
    if target is None:
        raise refusal(session, why_not(session))
    return replace(session, publication=target)


def why_not(session: Session) -> Reason:
    """Why a session does not take an event."""
    if session.discarded:
        return Reason.DISCARDED
    if session.stage is Stage.GENERATING:
        return Reason.STILL_WORKING
    if session.stage is Stage.FINAL:
        return Reason.ALREADY_APPROVED
    return Reason.MOVED_ON


def _newest_shown(session: Session) -> int:
    """The newest attempt that has a message with buttons. An unannounced attempt has none."""
    shown = (
        a for a in reversed(session.attempts) if a.failure not in NOT_ANNOUNCED or a.failure_shown
    )
    return next((attempt.number for attempt in shown), 0)
