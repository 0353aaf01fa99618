"""The steps of a session: each takes one and returns the next, or raises `Refusal` and changes
nothing. What is lawful is decided here; who was first is decided by the store."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.errors import NOT_ANNOUNCED, FailureKind, Reason, Refusal
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.publication import PublicationEvent, next_publication
from bot.domain.session import Session, asked_before, with_attempt
from bot.domain.stages import TRANSITIONS, Event, IllegalEvent, Stage, next_stage


def submit(
    session: Session,
    prompt: str,
    now: float,
    options: Options = NO_OPTIONS,
    source: Source | None = None,
) -> Session:
    """The first prompt of a session: `initial_input` → `generating`. With a `source`, now or kept
    before, the prompt is what should be different from that picture."""
    source = source or session.source
    attempt = Attempt(0, prompt, options)
    if source is not None:
        attempt = replace(attempt, change=prompt, base=ImageRef(0))
    return _begin(replace(session, source=source), Event.SUBMIT, attempt, now)


def regenerate(session: Session, number: int, now: float, asked_by: str = "") -> Session:
    """Another go at the newest draft: the same prompt, and the same change where it has one."""
    if asked_before(session, asked_by):
        return session
    _check_current(session, Event.REGENERATE, number)
    again = _again(session.attempt(number), asked_by)
    return _begin(session, Event.REGENERATE, again, now)


def refine(
    session: Session,
    base: ImageRef,
    change: str,
    now: float,
    *,
    options: Options = NO_OPTIONS,
    asked_by: str = "",
) -> Session:
    """Edit one image that is in the thread."""
    if asked_before(session, asked_by):
        return session
    _move(session, Event.REFINE, now)
    if not session.shows(base):
        raise _refuse(session, Reason.MOVED_ON)
    edited = session.attempt(base.attempt)
    wanted = options.over(replace(edited.options, count=0))
    attempt = Attempt(0, edited.prompt, wanted, change=change, base=base, asked_by=asked_by)
    return _begin(session, Event.REFINE, attempt, now)


def edit(
    session: Session,
    number: int,
    prompt: str,
    options: Options,
    now: float,
    asked_by: str = "",
) -> Session:
    """Afresh from another prompt: after a draft, or after a failure that left none. What started
    from a person's picture starts from it again, unless reading it stops workers."""
    if asked_before(session, asked_by):
        return session
    event = prompt_event(session)
    _check_current(session, event, number)
    attempt = Attempt(0, prompt, options, asked_by=asked_by)
    if session.source is not None and not session.source.stops_workers:
        attempt = replace(attempt, change=prompt, base=ImageRef(0))
    return _begin(session, event, attempt, now)


def try_again(session: Session, number: int, now: float, asked_by: str = "") -> Session:
    """What a failed or cancelled attempt was for, once more."""
    if asked_before(session, asked_by):
        return session
    event = Event.SUBMIT if session.stage is Stage.INITIAL_INPUT else Event.REGENERATE
    _check_current(session, event, number)
    return _begin(session, event, _again(session.attempt(number), asked_by), now)


def approve(session: Session, image: ImageRef, user: str, now: float) -> Session:
    """`user` settles the session on an image of the newest draft; a later attempt that failed
    matters no more."""
    draft = session.newest_draft
    newest = draft is not None and draft.number == image.attempt
    return _settle_on(session, image, user, now, lawful=newest)


def use_earlier(session: Session, image: ImageRef, user: str, now: float) -> Session:
    """`user` settles the session on an image of an earlier draft."""
    return _settle_on(session, image, user, now, lawful=True)


def cancel(
    session: Session, number: int, words: str, now: float, cancelled_by: str = ""
) -> Session:
    """Stop the attempt that is under way; `words` is what the person is told."""
    if session.stage is not Stage.GENERATING:
        raise _refuse(session, Reason.NOTHING_TO_CANCEL)
    if number != session.latest.number:
        raise _refuse(session, Reason.MOVED_ON)
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
    moved = _move(session, Event.START_OVER, now)
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


def draft_posted(session: Session, number: int, message_ts: str, now: float) -> Session:
    """The draft is in the thread: `generating` → `user_feedback`."""
    moved = _move(session, Event.GENERATED, now)
    if number != session.latest.number:
        raise _refuse(session, Reason.MOVED_ON)
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
    moved = _move(session, event, now)
    if number != session.latest.number:
        raise _refuse(session, Reason.MOVED_ON)
    failed = replace(session.attempt(number), failure=kind, failure_ts=failure_ts)
    return replace(with_attempt(moved, failed), error_message=words)


def not_announced(
    session: Session, number: int, kind: FailureKind, words: str, failure_ts: str, now: float
) -> Session:
    """The attempt failed because its announcement was refused. The next one posts a root message of
    its own where this one cannot be edited."""
    failed = attempt_failed(session, number, kind, words, failure_ts, now)
    return replace(failed, root_ts="") if kind is FailureKind.NOT_SHOWN else failed


def allowed_events(session: Session) -> frozenset[Event]:
    """The events that the session's stage takes now; none once it was started over."""
    if session.started_over:
        return frozenset()
    return frozenset(TRANSITIONS[session.stage])


def can_refine(session: Session, image: ImageRef) -> None:
    """Raises the `Refusal` that `refine` would raise for this image."""
    _move(session, Event.REFINE, 0.0)
    if not session.shows(image):
        raise _refuse(session, Reason.MOVED_ON)


def can_edit(session: Session, number: int) -> None:
    """Raises the `Refusal` that `edit` would raise for this attempt."""
    _check_current(session, prompt_event(session), number)


def can_start_over(session: Session) -> None:
    """Raises the `Refusal` that `start_over` would raise for a new successor."""
    _move(session, Event.START_OVER, 0.0)


def prompt_event(session: Session) -> Event:
    """What another prompt is: the first one's `submit` while there is no image, else `edit`."""
    return Event.SUBMIT if session.stage is Stage.INITIAL_INPUT else Event.EDIT


def _refuse(session: Session, reason: Reason) -> Refusal:
    return Refusal(reason, session.user)


def _move(session: Session, event: Event, now: float) -> Session:
    if session.started_over:
        raise _refuse(session, Reason.STARTED_OVER)
    has_image = session.newest_draft is not None
    try:
        stage = next_stage(session.stage, event, has_image=has_image)
    except IllegalEvent:
        raise _refuse(session, _why_not(session)) from None
    return replace(session, stage=stage, updated_at=now)


def _why_not(session: Session) -> Reason:
    if session.stage is Stage.GENERATING:
        return Reason.STILL_WORKING
    if session.stage is Stage.FINAL:
        return Reason.ALREADY_APPROVED
    return Reason.MOVED_ON


def _begin(session: Session, event: Event, attempt: Attempt, now: float) -> Session:
    """The session with this attempt as its newest, queued."""
    moved = _move(session, event, now)
    attempt = replace(
        attempt,
        number=len(session.attempts) + 1,
        queued_at=now,
        candidates=tuple(Candidate(n + 1) for n in range(attempt.options.candidates)),
    )
    return replace(
        moved,
        task_input=attempt.prompt,
        options=attempt.options,
        error_message="",
        attempts=(*session.attempts, attempt),
    )


def _again(attempt: Attempt, asked_by: str = "") -> Attempt:
    """A new attempt at the same."""
    return Attempt(
        0,
        attempt.prompt,
        attempt.options,
        change=attempt.change,
        base=attempt.base,
        asked_by=asked_by,
    )


def _check_current(session: Session, event: Event, number: int) -> None:
    """A button belongs to an attempt: the newest draft's and the newest failure's are live, any
    older one comes too late."""
    _move(session, event, 0.0)
    draft = session.newest_draft
    current = {len(session.attempts), _newest_shown(session), draft.number if draft else 0} - {0}
    if number not in current:
        raise _refuse(session, _why_not(session))


def _newest_shown(session: Session) -> int:
    """The newest attempt that has a message with buttons: what could not be announced has none."""
    shown = (
        a for a in reversed(session.attempts) if a.failure not in NOT_ANNOUNCED or a.failure_ts
    )
    return next((attempt.number for attempt in shown), 0)


def _settle_on(
    session: Session, image: ImageRef, user: str, now: float, *, lawful: bool
) -> Session:
    moved = _move(session, Event.APPROVE, now)
    if not (lawful and session.shows(image)):
        raise _refuse(session, Reason.MOVED_ON)
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
