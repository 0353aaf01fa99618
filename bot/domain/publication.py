"""The publication of an approved image, and what is recorded of jobs that failed for good.

`record_publication` is for what a job has done: a record that comes late, from a run that
overlapped another, changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.jobs import Job, JobKind, is_due
from bot.domain.refusals import Reason
from bot.domain.session import (
    Session,
    asked_before,
    with_attempt,
)
from bot.domain.stages import (
    PUBLICATIONS,
    Publication,
    PublicationEvent,
    Stage,
)
from bot.domain.transitions import (
    cancel_shown,
    discard_shown,
    move_publication,
    refusal,
)


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


def record_publication(session: Session, event: PublicationEvent) -> Session:
    """Move the publication for what a job has done. A record that comes late changes nothing: the
    answer is the session itself."""
    lawful = event in PUBLICATIONS[session.publication]
    return move_publication(session, event) if lawful else session
