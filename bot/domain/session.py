"""A session: one idea of one person, from the prompt to the approved image.

A `Session` is a value. Each function here takes one and returns the next one, or raises `Refusal`
and changes nothing; the store keeps the result only if nobody was faster (compare-and-set on
`version`). So what is lawful is decided here, and who was first is decided there.

The generated image itself is not part of the value: it has its own key and its own expiry, and
`final_result` names the approved attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.stages import Event, IllegalEvent, Stage, next_stage

SCHEMA = 1
"""The form in which this version of the program writes sessions."""


@dataclass(frozen=True)
class Attempt:
    """One generation. Times are seconds since the epoch; 0 means not yet.

    `as_file`: Slack never came to know the image's file, so it was shared as a plain file.
    `run` counts how often the sweeper queued it again. `response_id`, `width` (with the stored
    image), `file_id` and `message_ts` are what a repeated job goes on from, in that order.
    """

    number: int
    prompt: str
    run: int = 0
    queued_at: float = 0.0
    started_at: float = 0.0
    generated_at: float = 0.0
    response_id: str = ""
    revised_prompt: str = ""
    mime_type: str = ""
    width: int = 0
    height: int = 0
    file_id: str = ""
    as_file: bool = False
    message_ts: str = ""
    failure: FailureKind | None = None
    failure_ts: str = ""

    @property
    def has_image(self) -> bool:
        return self.width > 0

    @property
    def seconds(self) -> float:
        """How long the provider took."""
        return max(0.0, self.generated_at - self.started_at)


@dataclass(frozen=True)
class Session:
    """The shared store of one session; the names of the first six are the contract's.

    `thread_ts` is the root message's `ts`, empty until it is posted. `response_url` is Slack's
    short-lived way to answer the person where the bot is not a member. `restarts` is the approved
    session that this one was started over from, `restarted_as` the reverse.
    """

    id: str
    team: str
    user: str
    channel: str
    stage: Stage = Stage.INITIAL_INPUT
    task_input: str = ""
    error_message: str = ""
    input_used_by_process: str = ""
    final_result: int = 0
    thread_ts: str = ""
    response_url: str = ""
    restarts: str = ""
    restarted_as: str = ""
    approved_by: str = ""
    final_ts: str = ""
    attempts: tuple[Attempt, ...] = field(default=())
    created_at: float = 0.0
    updated_at: float = 0.0
    version: int = 0
    schema: int = SCHEMA

    @property
    def latest(self) -> Attempt:
        """The newest attempt. Only a session that was submitted has one."""
        return self.attempts[-1]

    def attempt(self, number: int) -> Attempt:
        return self.attempts[number - 1]

    @property
    def newest_draft(self) -> Attempt | None:
        """The newest attempt whose draft is in the thread: the image there is to look at."""
        return next((a for a in reversed(self.attempts) if a.message_ts), None)


def _refuse(session: Session, reason: Reason) -> Refusal:
    return Refusal(reason, session.user)


def _move(session: Session, event: Event, now: float) -> Session:
    has_image = session.newest_draft is not None
    try:
        stage = next_stage(session.stage, event, has_image=has_image)
    except IllegalEvent:
        raise _refuse(session, _why_not(session)) from None
    return replace(session, stage=stage, updated_at=now)


def _why_not(session: Session) -> Reason:
    if session.restarted_as:
        return Reason.STARTED_OVER
    if session.stage is Stage.GENERATING:
        return Reason.STILL_WORKING
    if session.stage is Stage.FINAL:
        return Reason.ALREADY_APPROVED
    return Reason.MOVED_ON


def with_attempt(session: Session, attempt: Attempt) -> Session:
    """The session with this attempt in the place of the one of its number."""
    attempts = (*session.attempts[: attempt.number - 1], attempt)
    return replace(session, attempts=attempts + session.attempts[attempt.number :])


def _begin_attempt(
    session: Session, event: Event, prompt: str, now: float, *, clicked: int | None = None
) -> Session:
    """`clicked` is the attempt whose button asked for it; None where no button did."""
    moved = _move(session, event, now)
    if clicked is not None:
        _check_current(session, clicked)
    attempt = Attempt(number=len(session.attempts) + 1, prompt=prompt, queued_at=now)
    return replace(
        moved, task_input=prompt, error_message="", attempts=(*session.attempts, attempt)
    )


def _check_current(session: Session, number: int) -> None:
    """A button belongs to an attempt: the newest draft's and the newest failure's are live, any
    older one comes too late."""
    draft = session.newest_draft
    current = {len(session.attempts), draft.number if draft else 0} - {0}
    if number not in current:
        raise _refuse(session, _why_not(session))


def submit(session: Session, prompt: str, now: float) -> Session:
    """The first prompt of a session: `initial_input` → `generating`."""
    return _begin_attempt(session, Event.SUBMIT, prompt, now)


def regenerate(session: Session, number: int, now: float) -> Session:
    """Another image from the same prompt."""
    return _begin_attempt(session, Event.REGENERATE, session.task_input, now, clicked=number)


def try_again(session: Session, number: int, now: float, prompt: str = "") -> Session:
    """After a failure: the same prompt, or another `prompt`, once more."""
    if session.stage is Stage.INITIAL_INPUT:
        event = Event.SUBMIT
    else:
        event = Event.EDIT if prompt else Event.REGENERATE
    return _begin_attempt(session, event, prompt or session.task_input, now, clicked=number)


def approve(session: Session, number: int, user: str, now: float) -> Session:
    """`user` settles the session on this attempt; a later one that failed matters no more."""
    moved = _move(session, Event.APPROVE, now)
    draft = session.newest_draft
    if draft is None or draft.number != number:
        raise _refuse(session, Reason.MOVED_ON)
    return replace(moved, final_result=number, approved_by=user, error_message="")


def start_over(session: Session, successor: str, now: float) -> Session:
    """Clear the store: only whose it was, and where, remains. Once more for the same successor
    (a form that was sent twice) changes nothing."""
    if successor == session.restarted_as:
        return session
    moved = _move(session, Event.START_OVER, now)
    return replace(
        moved,
        task_input="",
        error_message="",
        input_used_by_process="",
        final_result=0,
        response_url="",
        restarts="",
        restarted_as=successor,
        approved_by="",
        attempts=(),
    )


def draft_posted(session: Session, number: int, message_ts: str, now: float) -> Session:
    """The draft is in the thread: `generating` → `user_feedback`."""
    moved = _move(session, Event.GENERATED, now)
    return with_attempt(moved, replace(session.attempt(number), message_ts=message_ts))


def attempt_failed(
    session: Session, number: int, kind: FailureKind, words: str, failure_ts: str, now: float
) -> Session:
    """The attempt brought no draft; `words` is what the person was told."""
    moved = _move(session, Event.FAILED, now)
    failed = replace(session.attempt(number), failure=kind, failure_ts=failure_ts)
    return replace(with_attempt(moved, failed), error_message=words)
