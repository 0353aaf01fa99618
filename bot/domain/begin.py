"""The functions that begin an attempt. Only `bot.service.gateway` calls them.

Each takes a session and returns it with a new attempt, or raises `Refusal` and changes nothing.
`idempotency_key` is unique to the request: one that is delivered twice begins one attempt.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.limits import ReducedRequest
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.prompt import ParsedText, clean_change, clean_prompt
from bot.domain.refusals import Reason
from bot.domain.session import Session, asked_before, with_attempt
from bot.domain.stages import Event, Stage
from bot.domain.transitions import check_can, check_current, move, refusal, why_not


def submit(
    session: Session,
    prompt: str,
    now: float,
    options: Options = NO_OPTIONS,
    source: Source | None = None,
) -> Session:
    """The first prompt of a session: `initial_input` → `generating`. With a `source`, given now
    or earlier, the prompt is the change to that picture."""
    source = source or session.source
    attempt = Attempt(0, prompt, options)
    if source is not None:
        attempt = replace(attempt, change=prompt, base=ImageRef(0))
    if source is not session.source:
        session = replace(session, source=source)
    return _begin(session, Event.SUBMIT, attempt, now)


def regenerate(session: Session, number: int, now: float, idempotency_key: str = "") -> Session:
    """Repeat the newest draft: the same prompt, and the same change where it has one."""
    if asked_before(session, idempotency_key):
        return session
    check_current(session, Event.REGENERATE, number)
    again = _again(session.attempt(number), idempotency_key)
    return _begin(session, Event.REGENERATE, again, now)


def refine(
    session: Session,
    base: ImageRef,
    change: str,
    now: float,
    *,
    options: Options = NO_OPTIONS,
    idempotency_key: str = "",
) -> Session:
    """Edit one image that is in the thread."""
    if asked_before(session, idempotency_key):
        return session
    check_can_refine(session, base)
    edited = session.attempt(base.attempt)
    wanted = options.over(edited.options.replace(count=0))
    attempt = Attempt(
        0, edited.prompt, wanted, change=change, base=base, idempotency_key=idempotency_key
    )
    return _begin(session, Event.REFINE, attempt, now)


def edit(
    session: Session,
    number: int,
    prompt: str,
    options: Options,
    now: float,
    idempotency_key: str = "",
) -> Session:
    """Begin from another prompt, after a draft or after a failure without one. A session that
    started from a person's picture starts from it again, unless the picture cannot be used."""
    if asked_before(session, idempotency_key):
        return session
    check_can_edit(session, number)
    attempt = Attempt(0, prompt, options, idempotency_key=idempotency_key)
    if session.source is not None and not session.source_is_unusable:
        attempt = replace(attempt, change=prompt, base=ImageRef(0))
    return _begin(session, _submit_or(Event.EDIT, session), attempt, now)


def try_again(session: Session, number: int, now: float, idempotency_key: str = "") -> Session:
    """Repeat a failed or cancelled attempt. Where its images are made and Slack did not show them,
    no attempt begins: they are delivered again."""
    if asked_before(session, idempotency_key):
        return session
    event = _submit_or(Event.REGENERATE, session)
    check_current(session, event, number)
    if session.attempt(number).undelivered and number == len(session.attempts):
        return _deliver_again(session, event, now, idempotency_key)
    return _begin(session, event, _again(session.attempt(number), idempotency_key), now)


def begin_reduced(
    session: Session, number: int, reduced: ReducedRequest, now: float, idempotency_key: str = ""
) -> Session:
    """Begin what a limit leaves of a refused attempt, when `number` was the newest; 0 where there
    was none."""
    if asked_before(session, idempotency_key):
        return session
    options, base, prompt, change = reduced
    newest = session.latest if session.attempts else Attempt(0, "")
    if number != len(session.attempts) or (base == ImageRef(0) and session.source is None):
        raise refusal(session, why_not(session))
    attempt = Attempt(
        0,
        newest.prompt if prompt is None else prompt,
        options,
        change=newest.change if change is None else change,
        base=base,
        idempotency_key=idempotency_key,
    )
    if base is None or base == ImageRef(0):
        return _begin(session, _submit_or(Event.EDIT, session), attempt, now)
    check_can_refine(session, base)
    return _begin(session, Event.REFINE, attempt, now)


def reply(session: Session, said: ParsedText, now: float, idempotency_key: str) -> Session:
    """Apply a reply in the session's thread: it changes the newest draft, or is another prompt
    where there is no draft yet."""
    draft = session.newest_draft
    if draft is None and session.attempts:
        prompt, options = clean_prompt(said.prompt), said.options.over(session.options)
        return edit(session, session.latest.number, prompt, options, now, idempotency_key)
    image = ImageRef(draft.number, draft.images[0].number) if draft else ImageRef(0)
    change = clean_change(said.prompt)
    return refine(
        session, image, change, now, options=said.options, idempotency_key=idempotency_key
    )


def asked_by(before: Session, after: Session, user: str) -> Session:
    """The session with `user` as the person who began its new attempts."""
    known = len(before.attempts)
    begun = (replace(attempt, asked_by=user) for attempt in after.attempts[known:])
    if known == len(after.attempts):
        return after
    return replace(after, attempts=(*after.attempts[:known], *begun))


def check_can_refine(session: Session, image: ImageRef) -> None:
    """Raises `Refusal` where the image cannot be edited now."""
    check_can(session, Event.REFINE)
    if not session.shows(image):
        raise refusal(session, Reason.MOVED_ON)


def check_can_edit(session: Session, number: int) -> None:
    """Raises `Refusal` where nothing can begin from that attempt's prompt now."""
    check_current(session, _submit_or(Event.EDIT, session), number)


def _begin(session: Session, event: Event, attempt: Attempt, now: float) -> Session:
    """The session with this attempt as its newest, queued."""
    attempt = replace(
        attempt,
        number=len(session.attempts) + 1,
        queued_at=now,
        candidates=tuple(Candidate(n + 1) for n in range(attempt.options.candidates)),
    )
    return move(
        session,
        event,
        now,
        task_input=attempt.prompt,
        options=attempt.options,
        error_message="",
        attempts=(*session.attempts, attempt),
    )


def _deliver_again(session: Session, event: Event, now: float, idempotency_key: str) -> Session:
    """The newest attempt, whose images are made, goes to Slack once more, by jobs of other names.
    A file that Slack did not show is uploaded anew."""
    attempt = session.latest
    anew = attempt.failure is FailureKind.NOT_DELIVERED
    candidates = tuple(_to_deliver(c, anew=anew) for c in attempt.candidates)
    again = replace(
        attempt,
        requeues=attempt.requeues + 1,
        deliveries=attempt.deliveries + 1,
        announced=False,
        as_file=False,
        idempotency_key=idempotency_key or attempt.idempotency_key,
        candidates=candidates,
        delivery_candidate=next(c.number for c in candidates if c.has_image),
        failure=None,
        failure_ts="",
    )
    return replace(with_attempt(move(session, event, now), again), error_message="")


def _to_deliver(candidate: Candidate, *, anew: bool) -> Candidate:
    if not candidate.has_image:
        return candidate
    file_id = "" if anew else candidate.file_id
    requeues = candidate.requeues + 1
    return replace(candidate, requeues=requeues, run_id="", failure=None, said="", file_id=file_id)


def _again(attempt: Attempt, idempotency_key: str = "") -> Attempt:
    """A new attempt with the same prompt, options, change and base."""
    return Attempt(
        0,
        attempt.prompt,
        attempt.options,
        change=attempt.change,
        base=attempt.base,
        idempotency_key=idempotency_key,
    )


def _submit_or(event: Event, session: Session) -> Event:
    """`SUBMIT` for a session that has no draft yet, after any number of failures; else the
    event."""
    return Event.SUBMIT if session.stage is Stage.INITIAL_INPUT else event
