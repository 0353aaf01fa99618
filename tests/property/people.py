"""What people and workers do to a session, as steps that a test can take in any order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.direction import Direction
from bot.domain import steps
from bot.domain.attempt import ImageRef
from bot.domain.ending import final_posted, final_shown, not_published, retired
from bot.domain.errors import FailureKind
from bot.domain.options import Options
from bot.domain.person import Person
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Event
from bot.domain.work import owed
from bot.flow.plan import generated, started
from bot.flow.shared import noted, under_way
from bot.ports import Change

NOW = 1_000.0
STRANGER, OTHER_DIRECTOR = "U8", "U9"

Decide = Callable[[Direction, str, ImageRef, Person, str], Awaitable[Session]]
"""By a direction: the session's id, the image, the person, and what is unique to the request."""

DECISIONS: dict[str, tuple[Decide, frozenset[Event]]] = {
    "approve": (lambda d, s, i, u, _: d.approve(s, i, u), frozenset({Event.APPROVE})),
    "use earlier": (lambda d, s, i, u, _: d.use_earlier(s, i, u), frozenset({Event.APPROVE})),
    "regenerate": (lambda d, s, i, u, _: d.regenerate(s, i, u), frozenset({Event.REGENERATE})),
    "try again": (
        lambda d, s, i, u, _: d.try_again(s, i, u),
        frozenset({Event.SUBMIT, Event.REGENERATE}),
    ),
    "refine": (
        lambda d, s, i, u, by: d.refine(s, i, u, "make it night --n 2", by),
        frozenset({Event.REFINE}),
    ),
    "edit": (
        lambda d, s, i, u, by: d.edit(s, i.attempt, u, "a wolf", Options(count=3), by),
        frozenset({Event.SUBMIT, Event.EDIT}),
    ),
    "cancel": (lambda d, s, i, u, by: d.cancel(s, i, u, by), frozenset({Event.CANCEL})),
}
"""Each with the events of the table that it may stand for."""


def _keeps_root(session: Session, ts: str) -> Session:
    return replace(session, root_ts=session.root_ts or ts, thread_ts=session.thread_ts or ts)


def _again(session: Session) -> Session:
    """As the sweeper does, where a job was lost."""
    job = owed(session)
    if job is None:
        return session
    attempt = session.attempt(job.attempt)
    return with_attempt(session, replace(attempt, run=job.run + 1))


def _shown(session: Session, number: int) -> Session:
    due = owed(session)
    return steps.cancel_shown(session, number) if due and due.kind == "settle" else session


def _failed(session: Session, number: int, mark: str) -> Session:
    kind = FailureKind.MODERATION
    return steps.attempt_failed(session, number, kind, "It did not work.", mark, NOW)


def recordings(image: ImageRef, mark: str) -> dict[str, tuple[Change, Event | None]]:
    """What a worker records about an image, with the table's event where it is one. `mark` is told
    by Slack or the provider, and another each time."""
    number = image.attempt
    has_image = {"width": 64, "height": 64, "mime_type": "image/png", "failure": None}
    return {
        "root": (lambda s: _keeps_root(s, mark), None),
        "started": (lambda s: started(s, number, mark), None),
        "response": (lambda s: noted(s, image, response_id=mark), None),
        "image": (lambda s: noted(s, image, response_id=mark, **has_image), None),
        "no image": (lambda s: noted(s, image, failure=FailureKind.TIMED_OUT), None),
        "file": (lambda s: noted(s, image, file_id=mark), None),
        "generated": (lambda s: generated(s, number, NOW), None),
        "posted": (lambda s: steps.draft_posted(s, number, mark, NOW), Event.GENERATED),
        "failed": (lambda s: _failed(s, number, mark), Event.FAILED),
        "cancel shown": (lambda s: _shown(s, number), None),
        "final": (lambda s: final_posted(s, mark), None),
        "refused": (lambda s: not_published(s, "Slack does not take it."), None),
        "final shown": (final_shown, None),
        "retired": (retired, None),
        "again": (_again, None),
    }


def next_recording(session: Session) -> str:
    """What a worker would record next, where nothing goes wrong."""
    if session.publication.is_retiring:
        return "retired"
    if session.stage.value == "final":
        return "final shown" if session.final_ts else "final"
    if not session.attempts or not under_way(session, session.latest.number):
        return "cancel shown"
    latest = session.latest
    missing = {
        "root": not session.root_ts,
        "started": not latest.started_at,
        "image": not latest.images,
        "file": not any(c.file_id for c in latest.candidates),
    }
    return next((name for name, is_missing in missing.items() if is_missing), "posted")
