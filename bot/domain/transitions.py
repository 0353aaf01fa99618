"""The transitions of a session: the checks, the decisions of people, and the records of the
publication of an approved image.

`can` answers a question. `check_can` raises `Refusal` with the reason for a person. `move` makes
the move. All three ask the same two rules: a session that was discarded takes no event, and any
other takes those of its stage. `move_publication` moves the publication, or raises
`Refusal`. A transition takes a session and returns the next one, or raises `Refusal` and changes
nothing; the store decides which of two was first. `record_publication` is for what a job has done:
a record that comes late, from a run that overlapped another, changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.jobs import Job, JobKind, is_due
from bot.domain.session import (
    KeptWords,
    Session,
    asked_before,
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
    Publication,
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


def move(session: Session, event: Event, now: float) -> Session:
    """The session in its next stage. Raises `Refusal`."""
    check_can(session, event)
    target = TRANSITIONS[session.stage][event]
    if isinstance(target, Fork):
        target = target.without if session.newest_draft is None else target.with_image
    return replace(session, stage=target, updated_at=now)


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


def final_posted(session: Session, ts: str) -> Session:
    """Records the message with the approved image. A message recorded earlier stays."""
    posted = record_publication(session, PublicationEvent.POST)
    return posted if posted is session else replace(posted, final_ts=ts, error_message="")


def not_published(session: Session, words: str) -> Session:
    """Records that Slack refused the approved image; `words` is the text the person was told."""
    refused = record_publication(session, PublicationEvent.REFUSE)
    return refused if refused is session else replace(refused, error_message=words)


def publish_again(session: Session, number: int, now: float, idempotency_key: str = "") -> Session:
    """Publish an image again that Slack refused, by a new run of the job. Nothing changes where the
    publication is due already, or where the same request (`idempotency_key`) came before. Raises
    `Refusal` where the image is published."""
    state = session.publication
    if state is Publication.TO_PUBLISH and number == session.final_result:
        return session
    if state is not Publication.REFUSED:
        raise refusal(session, Reason.ALREADY_APPROVED)
    if number != session.final_result:
        raise refusal(session, Reason.MOVED_ON)
    if asked_before(session, idempotency_key):
        return session
    approved = session.attempt(number)
    approved = replace(
        approved,
        requeues=approved.requeues + 1,
        idempotency_key=idempotency_key or approved.idempotency_key,
    )
    again = move_publication(session, PublicationEvent.PUBLISH_AGAIN)
    return replace(with_attempt(again, approved), error_message="", updated_at=now)


def file_replaced(session: Session, file_id: str) -> Session:
    """The approved image has another file. The draft keeps its own: no update can change it."""
    return replace(session, final_file_id=file_id)


def final_shown(session: Session) -> Session:
    """Records that the drafts and the status show the publication. Nothing changes where it is
    published again."""
    return record_publication(session, PublicationEvent.SHOW)


def publish_is_due(session: Session, run: int) -> bool:
    """Whether this run of `publish` has work: to post the image, or to show it or its refusal. A
    run from before the person asked again has none."""
    if session.stage is not Stage.FINAL or session.publication is Publication.SHOWN:
        return False
    return run >= session.attempt(session.final_result).requeues


def given_up(session: Session, job: Job) -> Session:
    """A job that only shows what is in force has failed for good."""
    if not is_due(session, job):
        return session
    match job.kind:
        case JobKind.SHOW_CANCELLED:
            return cancel_shown(session, job.attempt)
        case JobKind.PUBLISH:
            return final_shown(session)
        case _:
            return discard_shown(session, session.discard)


def given_up_unpublished(session: Session, job: Job, words: str) -> Session:
    """Like `given_up`, where the approved image was not posted; `words` is what its owner was
    told."""
    if job.kind is JobKind.PUBLISH and is_due(session, job):
        return not_published(session, words)
    return given_up(session, job)


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


def record_publication(session: Session, event: PublicationEvent) -> Session:
    """The same for what a job has done: a record that comes late changes nothing, and answers the
    session itself."""
    lawful = event in PUBLICATIONS[session.publication]
    return move_publication(session, event) if lawful else session


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
