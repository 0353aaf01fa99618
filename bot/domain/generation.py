"""The changes of a session that record how an attempt is generated. Each is a pure function, and
the next run, on any worker, goes on from the last one recorded.

    announced → started → paid call counted → response id → image or failure, for each candidate
              → the candidate that was made last delivers: files → draft

Two runs of a candidate may overlap, where one was taken for dead. The run that began last is the
current one. The other run may still record its image; it shows nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.attempt import MAX_PAID_CALLS, Attempt, ImageRef
from bot.domain.costs import CallOutcome, CallState, PaidCall
from bot.domain.errors import PaidCallLimitReached
from bot.domain.failures import FailureKind
from bot.domain.images import GeneratedImage
from bot.domain.refusals import Reason
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Event, Stage
from bot.domain.transitions import move, refusal

LOST = CallOutcome(CallState.ESTIMATED)
"""A call whose answer did not come: it may be paid for."""
_MOST_TELLING = list(FailureKind)
"""Failures of the prompt come first, then those that the operator repairs, then those that pass."""


def is_generating(session: Session, number: int) -> bool:
    """Whether the session still waits for this attempt."""
    return session.stage is Stage.GENERATING and session.latest.number == number


def was_cancelled(session: Session, number: int) -> bool:
    return number <= len(session.attempts) and session.attempt(number).cancelled


def is_current_run(session: Session, image: ImageRef, run_id: str) -> bool:
    """Whether the session still waits for this image, and no later run of its job has begun."""
    if not is_generating(session, image.attempt):
        return False
    return session.latest.candidate(image.candidate).run_id in ("", run_id)


def is_delivery_run(session: Session, image: ImageRef, run_id: str) -> bool:
    """Whether this run brings the attempt's images, or its failure, to Slack. A run about the
    attempt as a whole has no candidate (0)."""
    if not image.candidate:
        return is_generating(session, image.attempt)
    return (
        is_current_run(session, image, run_id)
        and session.latest.delivery_candidate == image.candidate
    )


def announced(session: Session, number: int, root_ts: str = "") -> Session:
    """Records that Slack shows the attempt. `root_ts` is the root message, where this attempt
    posted one. A root message that was recorded earlier stays."""
    if root_ts:
        session = replace(
            session,
            root_ts=session.root_ts or root_ts,
            thread_ts=session.thread_ts or root_ts,
        )
    if not is_generating(session, number):
        return session
    return with_attempt(session, replace(session.latest, announced=True))


def started(session: Session, image: ImageRef, run_id: str, now: float) -> Session:
    """Makes this run the current one of its candidate."""
    if not is_generating(session, image.attempt):
        return session
    attempt = session.latest
    candidate = replace(attempt.candidate(image.candidate), run_id=run_id)
    begun = replace(attempt, started_at=attempt.started_at or now)
    return with_attempt(session, begun.with_candidate(candidate))


def paid_call_counted(
    session: Session, image: ImageRef, run_id: str, before: int, ended: CallOutcome = LOST
) -> Session:
    """Counts one paid call more than `before` for the candidate, made by this run, and drops the id
    of an earlier response. `ended` is how the call before it ended. The same call counts once.
    Raises `PaidCallLimitReached`."""
    if not is_current_run(session, image, run_id):
        return session
    candidate = session.latest.candidate(image.candidate)
    if (candidate.paid_calls, candidate.paid_by_run) == (before + 1, run_id):
        return session
    if candidate.paid_calls >= MAX_PAID_CALLS:
        raise PaidCallLimitReached
    number = candidate.paid_calls + 1
    earlier = tuple(c.ended(ended) if c.number == before else c for c in candidate.calls)
    counted = replace(
        candidate,
        paid_calls=number,
        paid_by_run=run_id,
        response_id="",
        calls=(*(c.ended(LOST) for c in earlier), PaidCall(number, run_id)),
    )
    return with_attempt(session, session.latest.with_candidate(counted))


def record_candidate(session: Session, image: ImageRef, **facts: Any) -> Session:
    """Records these facts about a candidate. Nothing changes once its image is in Slack, once the
    draft is in the thread, or where there is no such attempt."""
    if image.attempt > len(session.attempts):
        return session
    attempt = session.attempt(image.attempt)
    candidate = attempt.candidate(image.candidate)
    if attempt.has_draft or candidate.file_id:
        return session
    return with_attempt(session, attempt.with_candidate(replace(candidate, **facts)))


def image_made(session: Session, image: ImageRef, made: GeneratedImage, now: float) -> Session:
    """Records that the candidate's image is stored. A stored image replaces an earlier failure."""
    recorded = record_candidate(
        session,
        image,
        mime_type=made.mime_type,
        width=made.width,
        height=made.height,
        response_id=made.response_id,
        revised_prompt=made.revised_prompt,
        model=made.model,
        sha256=made.sha256,
        failure=None,
        said="",
        details=(),
    )
    return _made_last(recorded, image, now)


def image_failed(
    session: Session,
    image: ImageRef,
    run_id: str,
    kind: FailureKind,
    said: str,
    now: float,
    details: tuple[str, ...] = (),
) -> Session:
    """Records that the candidate has no image; `said` is the model's own words, `details` are those
    of the `GenerationError`. Nothing changes where it has an image by now, or where a later run
    has made a paid call: its image may come."""
    if image.attempt <= len(session.attempts):
        candidate = session.attempt(image.attempt).candidate(image.candidate)
        may_tell = is_current_run(session, image, run_id) or candidate.paid_by_run == run_id
        if candidate.has_image or not may_tell:
            return session
    recorded = record_candidate(session, image, failure=kind, said=said, details=details)
    return _made_last(recorded, image, now)


def image_expired(session: Session, image: ImageRef) -> Session:
    """Records that the image's bytes expired before Slack had them. Its job is due once more, and
    the candidate that is made last then delivers."""
    if not is_generating(session, image.attempt):
        return session
    candidate = session.latest.candidate(image.candidate)
    if candidate.file_id or not candidate.has_image:
        return session
    attempt = session.latest.with_candidate(replace(candidate, width=0, height=0))
    return with_attempt(session, replace(attempt, delivery_candidate=0))


def shared_as_files(session: Session, number: int) -> Session:
    """Records that the images stand in the thread as plain files."""
    if not is_generating(session, number):
        return session
    return with_attempt(session, replace(session.latest, as_file=True))


def preview_of(session: Session, number: int) -> str:
    """The `ts` of the attempt's preview; empty for none. The attempt may be gone by now."""
    return session.attempt(number).preview_ts if number <= len(session.attempts) else ""


def preview_shown(session: Session, number: int, ts: str) -> Session:
    """Records the `ts` of the attempt's preview; empty for none. The attempt may be gone by now."""
    if number > len(session.attempts):
        return session
    return with_attempt(session, replace(session.attempt(number), preview_ts=ts))


def preview_removed(session: Session, number: int, ts: str) -> Session:
    """Records that this preview is deleted. A newer preview stays recorded."""
    return preview_shown(session, number, "") if preview_of(session, number) == ts else session


def draft_posted(
    session: Session, number: int, message_ts: str, now: float, input_used: str = ""
) -> Session:
    """Records that the draft is in the thread: `generating` → `user_feedback`. `input_used` is the
    prompt that its images were made from."""
    moved = move(session, Event.GENERATED, now)
    if number != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    moved = replace(moved, input_used_by_process=input_used)
    return with_attempt(moved, replace(session.attempt(number), message_ts=message_ts))


def attempt_failed(
    session: Session, number: int, kind: FailureKind, words: str, failure_ts: str, now: float
) -> Session:
    """Ends the attempt without a draft; `words` is the text that the person was told."""
    moved = move(session, Event.FAILED, now)
    if number != session.latest.number:
        raise refusal(session, Reason.MOVED_ON)
    failed = replace(session.attempt(number), failure=kind, failure_ts=failure_ts)
    return replace(with_attempt(moved, failed), error_message=words)


def not_announced(
    session: Session, number: int, kind: FailureKind, words: str, failure_ts: str, now: float
) -> Session:
    """Ends an attempt whose announcement was refused. The next attempt posts a root message of its
    own where Slack does not let this one be edited."""
    failed = attempt_failed(session, number, kind, words, failure_ts, now)
    return replace(failed, root_ts="") if kind is FailureKind.NOT_SHOWN else failed


def most_telling_failure(attempt: Attempt) -> tuple[FailureKind, str, tuple[str, ...]]:
    """The failure to report where no candidate has an image: its kind, the model's own words, and
    its details."""
    failed = [c for c in attempt.candidates if c.failure]
    kinds = [c.failure for c in failed if c.failure] or [FailureKind.INTERNAL]
    kind = min(kinds, key=_MOST_TELLING.index)
    told = [c for c in failed if c.failure is kind]
    said = next((c.said for c in told if c.said), "")
    return kind, said, tuple(dict.fromkeys(detail for c in told for detail in c.details))


def _made_last(session: Session, image: ImageRef, now: float) -> Session:
    """Lets the candidate deliver where it was the last one to be made."""
    if not is_generating(session, image.attempt):
        return session
    attempt = session.latest
    if attempt.delivery_candidate or not all(c.is_made for c in attempt.candidates):
        return session
    generated_at = attempt.generated_at or (now if attempt.images else 0.0)
    delivering = replace(attempt, delivery_candidate=image.candidate, generated_at=generated_at)
    return with_attempt(session, delivering)
