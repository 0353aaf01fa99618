"""What people and workers do to a session, as steps that a test can take in any order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.domain import generation, transitions
from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.generation import (
    announced,
    image_failed,
    image_made,
    is_generating,
    record_candidate,
    started,
)
from bot.domain.images import GeneratedImage
from bot.domain.jobs import JobKind, due_jobs, with_next_run
from bot.domain.options import Options
from bot.domain.policy import Person
from bot.domain.publication import final_posted, final_shown, not_published
from bot.domain.session import Session
from bot.domain.stages import Event
from bot.ports import Change
from bot.service import Services

NOW = 1_000.0
LATE = FailureKind.TIMED_OUT
STRANGERS, OTHER_DIRECTOR = ("U7", "U8"), "U9"
"""There are two strangers: one who starts over owns a session."""

Decide = Callable[[Services, str, ImageRef, Person, str], Awaitable[Session]]
"""By the services: the session's id, the image, the person, and what is unique to the request."""

DECISIONS: dict[str, tuple[Decide, frozenset[Event]]] = {
    "approve": (lambda d, s, i, u, _: d.decisions.approve(s, i, u), frozenset({Event.APPROVE})),
    "use earlier": (
        lambda d, s, i, u, _: d.decisions.use_earlier(s, i, u),
        frozenset({Event.APPROVE}),
    ),
    "regenerate": (
        lambda d, s, i, u, _: d.gateway.regenerate(s, i, u),
        frozenset({Event.REGENERATE}),
    ),
    "try again": (
        lambda d, s, i, u, _: d.gateway.try_again(s, i, u),
        frozenset({Event.SUBMIT, Event.REGENERATE}),
    ),
    "refine": (
        lambda d, s, i, u, by: d.gateway.refine(s, i, u, "make it night --n 2", by),
        frozenset({Event.REFINE}),
    ),
    "edit": (
        lambda d, s, i, u, by: d.gateway.edit(s, i.attempt, u, "a wolf", Options(count=3), by),
        frozenset({Event.SUBMIT, Event.EDIT}),
    ),
    "cancel": (lambda d, s, i, u, by: d.decisions.cancel(s, i, u, by), frozenset({Event.CANCEL})),
}
"""Each with the events of the table that it may stand for."""


def _again(session: Session) -> Session:
    """As the sweeper does, where jobs were lost."""
    for job in due_jobs(session):
        session = with_next_run(session, job)
    return session


def _shown(session: Session, number: int) -> Session:
    due = [job for job in due_jobs(session) if job.kind is JobKind.SHOW_CANCELLED]
    return transitions.cancel_shown(session, number) if due else session


def _failed(session: Session, number: int, mark: str) -> Session:
    kind = FailureKind.MODERATION
    return generation.attempt_failed(session, number, kind, "It did not work.", mark, NOW)


def _in(session: Session, image: ImageRef, change: Callable[[], Session]) -> Session:
    """A worker records nothing of an image that its attempt has not."""
    known = image.attempt > len(session.attempts) or image.candidate <= len(
        session.attempt(image.attempt).candidates
    )
    return change() if known else session


def recordings(image: ImageRef, mark: str) -> dict[str, tuple[Change, Event | None]]:
    """What a worker records about an image, with the table's event where it is one. `mark` is told
    by Slack or the provider, and another each time."""
    number = image.attempt
    made = GeneratedImage(b"", "image/png", 64, 64, response_id=mark)
    return {
        "root": (lambda s: announced(s, number, mark), None),
        "started": (lambda s: _in(s, image, lambda: started(s, image, mark, NOW)), None),
        "response": (
            lambda s: _in(s, image, lambda: record_candidate(s, image, response_id=mark)),
            None,
        ),
        "image": (lambda s: _in(s, image, lambda: image_made(s, image, made, NOW)), None),
        "no image": (
            lambda s: _in(
                s, image, lambda: image_failed(s, image, mark, FailureKind.TIMED_OUT, "", NOW)
            ),
            None,
        ),
        "file": (lambda s: _in(s, image, lambda: record_candidate(s, image, file_id=mark)), None),
        "posted": (lambda s: generation.draft_posted(s, number, mark, NOW), Event.GENERATED),
        "failed": (lambda s: _failed(s, number, mark), Event.FAILED),
        "cancel shown": (lambda s: _shown(s, number), None),
        "final": (lambda s: final_posted(s, mark), None),
        "refused": (lambda s: not_published(s, "Slack does not take it."), None),
        "final shown": (final_shown, None),
        "again": (_again, None),
    }


def next_recording(session: Session) -> str:
    """What a worker would record next, where nothing goes wrong."""
    if session.stage.value == "final":
        return "final shown" if session.final_ts else "final"
    if not session.attempts or not is_generating(session, session.latest.number):
        return "cancel shown"
    latest = session.latest
    missing = {
        "root": not latest.announced,
        "started": not latest.started_at,
        "image": not latest.images,
        "file": not any(c.file_id for c in latest.candidates),
    }
    return next((name for name, is_missing in missing.items() if is_missing), "posted")
