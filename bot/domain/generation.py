"""What is recorded while an attempt is generated: each step is a pure change of the session, so
that whichever run comes next goes on from there.

    announced → started → paid call counted → response id → image or failure, for each candidate
              → the candidate that was made last delivers: files → draft

Of two runs of a candidate, which overlap where one was taken for dead, the one that began last
leads. The other one may still record what it has in hand; it shows nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.attempt import MOST_ASKED, Attempt, ImageRef
from bot.domain.errors import AskedTooOften, FailureKind, Reason
from bot.domain.images import GeneratedImage
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Event, Stage
from bot.domain.transitions import move, refusal

_MOST_TELLING = list(FailureKind)
"""What blames the prompt, then what the operator has to mend, then what may pass."""


def under_way(session: Session, number: int) -> bool:
    """Whether the session still waits for this attempt."""
    return session.stage is Stage.GENERATING and session.latest.number == number


def was_cancelled(session: Session, number: int) -> bool:
    return number <= len(session.attempts) and session.attempt(number).cancelled


def leads(session: Session, image: ImageRef, runner: str) -> bool:
    """Whether the session still waits for this image, and no later run of its job has begun."""
    if not under_way(session, image.attempt):
        return False
    return session.latest.candidate(image.candidate).runner in ("", runner)


def delivers(session: Session, image: ImageRef, runner: str) -> bool:
    """Whether this run is to bring the attempt's images, or its failure, to Slack. A run about the
    attempt as a whole has no candidate (0)."""
    if not image.candidate:
        return under_way(session, image.attempt)
    return leads(session, image, runner) and session.latest.delivering == image.candidate


def announced(session: Session, number: int, root_ts: str = "") -> Session:
    """Slack shows that the attempt is under way. `root_ts` is the root message, where this attempt
    has posted it; the first one that was recorded counts."""
    if root_ts:
        session = replace(
            session,
            root_ts=session.root_ts or root_ts,
            thread_ts=session.thread_ts or root_ts,
        )
    if not under_way(session, number):
        return session
    return with_attempt(session, replace(session.latest, announced=True))


def started(session: Session, image: ImageRef, runner: str, now: float) -> Session:
    """This run of the candidate's job leads from here on."""
    if not under_way(session, image.attempt):
        return session
    attempt = session.latest
    candidate = replace(attempt.candidate(image.candidate), runner=runner)
    begun = replace(attempt, started_at=attempt.started_at or now)
    return with_attempt(session, begun.with_candidate(candidate))


def paid_call_counted(session: Session, image: ImageRef, runner: str, before: int) -> Session:
    """One more paid call for the candidate than `before`, by this run; the id of an earlier
    response is no good any more. The same call is counted once. Raises `AskedTooOften`."""
    if not leads(session, image, runner):
        return session
    candidate = session.latest.candidate(image.candidate)
    if (candidate.asked, candidate.asked_by) == (before + 1, runner):
        return session
    if candidate.asked >= MOST_ASKED:
        raise AskedTooOften
    asked = replace(candidate, asked=candidate.asked + 1, asked_by=runner, response_id="")
    return with_attempt(session, session.latest.with_candidate(asked))


def record_candidate(session: Session, image: ImageRef, **facts: Any) -> Session:
    """These facts about a candidate. The slower of two runs changes nothing about an image that is
    in Slack, nor about a draft that is in the thread. A session that was started over keeps no
    facts."""
    if image.attempt > len(session.attempts):
        return session
    attempt = session.attempt(image.attempt)
    candidate = attempt.candidate(image.candidate)
    if attempt.has_draft or candidate.file_id:
        return session
    return with_attempt(session, attempt.with_candidate(replace(candidate, **facts)))


def image_made(session: Session, image: ImageRef, made: GeneratedImage, now: float) -> Session:
    """The candidate's image is stored. What is recorded of it counts, not a failure before."""
    recorded = record_candidate(
        session,
        image,
        mime_type=made.mime_type,
        width=made.width,
        height=made.height,
        response_id=made.response_id,
        revised_prompt=made.revised_prompt,
        model=made.model,
        failure=None,
        said="",
        details=(),
    )
    return _made_last(recorded, image, now)


def image_failed(
    session: Session,
    image: ImageRef,
    runner: str,
    kind: FailureKind,
    said: str,
    now: float,
    details: tuple[str, ...] = (),
) -> Session:
    """There will be no image of this candidate; `said` is the model's own words, and `details` what
    it is about. Nothing changes where there is one by now, or where a later run has asked since:
    its image is still to come."""
    if image.attempt <= len(session.attempts):
        candidate = session.attempt(image.attempt).candidate(image.candidate)
        may_tell = leads(session, image, runner) or candidate.asked_by == runner
        if candidate.has_image or not may_tell:
            return session
    recorded = record_candidate(session, image, failure=kind, said=said, details=details)
    return _made_last(recorded, image, now)


def image_expired(session: Session, image: ImageRef) -> Session:
    """The image's bytes have expired before Slack had them: its job is owed once more, and the
    candidate that is made last then delivers."""
    if not under_way(session, image.attempt):
        return session
    candidate = session.latest.candidate(image.candidate)
    if candidate.file_id or not candidate.has_image:
        return session
    attempt = session.latest.with_candidate(replace(candidate, width=0, height=0))
    return with_attempt(session, replace(attempt, delivering=0))


def shared_as_files(session: Session, number: int) -> Session:
    """The images stand in the thread as plain files."""
    if not under_way(session, number):
        return session
    return with_attempt(session, replace(session.latest, as_file=True))


def preview_of(session: Session, number: int) -> str:
    """The message that previews the attempt, which may be gone by now; empty for none."""
    return session.attempt(number).preview_ts if number <= len(session.attempts) else ""


def preview_shown(session: Session, number: int, ts: str) -> Session:
    """The preview of the attempt, which may be gone by now, is this message; empty for none."""
    if number > len(session.attempts):
        return session
    return with_attempt(session, replace(session.attempt(number), preview_ts=ts))


def preview_removed(session: Session, number: int, ts: str) -> Session:
    """This message is gone; another one may have taken its place."""
    return preview_shown(session, number, "") if preview_of(session, number) == ts else session


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
    session: Session, number: int, kind: FailureKind, words: str, failure_ts: str, now: float
) -> Session:
    """The attempt brought no draft; `words` is what the person was told."""
    moved = move(session, Event.FAILED, now)
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


def most_telling_failure(attempt: Attempt) -> tuple[FailureKind, str, tuple[str, ...]]:
    """What the person is told where no candidate came: the kind, the model's own words, and what it
    is about."""
    failed = [c for c in attempt.candidates if c.failure]
    kinds = [c.failure for c in failed if c.failure] or [FailureKind.INTERNAL]
    kind = min(kinds, key=_MOST_TELLING.index)
    told = [c for c in failed if c.failure is kind]
    said = next((c.said for c in told if c.said), "")
    return kind, said, tuple(dict.fromkeys(detail for c in told for detail in c.details))


def _made_last(session: Session, image: ImageRef, now: float) -> Session:
    """Where this was the last candidate to be made, it delivers."""
    if not under_way(session, image.attempt):
        return session
    attempt = session.latest
    if attempt.delivering or not all(c.is_made for c in attempt.candidates):
        return session
    generated_at = attempt.generated_at or (now if attempt.images else 0.0)
    delivering = replace(attempt, delivering=image.candidate, generated_at=generated_at)
    return with_attempt(session, delivering)
