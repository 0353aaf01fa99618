"""What becomes of a session's messages once an image is approved.

Each step of `bot.domain.publication` is recorded, so that whoever comes next knows what is left to
do. A record that comes late, from a run that overlapped another, changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.errors import Reason, Refusal
from bot.domain.jobs import Job, JobKind, owes
from bot.domain.publication import TRANSITIONS as PUBLICATION_TRANSITIONS
from bot.domain.publication import Publication, PublicationEvent, next_publication
from bot.domain.session import Session, asked_before, with_attempt
from bot.domain.stages import Stage
from bot.domain.steps import cancel_shown


def final_posted(session: Session, ts: str) -> Session:
    """The approved image is in the channel; the first message that was recorded counts."""
    posted = _recorded(session, PublicationEvent.POST)
    return posted if posted is session else replace(posted, final_ts=ts, error_message="")


def not_published(session: Session, words: str) -> Session:
    """Slack does not take the approved image; `words` is what the person was told."""
    refused = _recorded(session, PublicationEvent.REFUSE)
    return refused if refused is session else replace(refused, error_message=words)


def publish_again(session: Session, number: int, asked_by: str = "") -> Session:
    """Once more what Slack did not take, by a job of another name. Nothing changes where that is
    on its way, or was `asked_by` the same request. Raises `Refusal` where the image is out."""
    state = session.publication
    if state is Publication.TO_PUBLISH and number == session.final_result:
        return session
    if state is not Publication.REFUSED:
        raise Refusal(Reason.ALREADY_APPROVED, session.user)
    if number != session.final_result:
        raise Refusal(Reason.MOVED_ON, session.user)
    if asked_before(session, asked_by):
        return session
    approved = session.attempt(number)
    approved = replace(approved, run=approved.run + 1, asked_by=asked_by or approved.asked_by)
    again = _recorded(session, PublicationEvent.PUBLISH_AGAIN)
    return replace(with_attempt(again, approved), error_message="")


def final_shown(session: Session) -> Session:
    """The drafts and the status say that the approved image is in the channel. Nothing changes
    where the session was started over meanwhile, or is to be published again."""
    return _recorded(session, PublicationEvent.SHOW)


def as_approved(session: Session) -> Session:
    """The session as its messages show it: one that was started over still shows what had been
    approved."""
    if not session.publication.is_retiring:
        return session
    approved = session.attempt(session.retiring_result)
    return replace(
        session,
        stage=Stage.FINAL,
        final_result=session.retiring_result,
        task_input=approved.prompt,
        options=approved.options,
    )


def retired(session: Session) -> Session:
    """Its messages are in their last state: nothing more has to be known of it."""
    gone = _recorded(session, PublicationEvent.RETIRE)
    if gone is session:
        return session
    return replace(
        gone, retiring_result=0, error_message="", final_candidate=1, approved_by="", attempts=()
    )


def publish_is_due(session: Session, run: int) -> bool:
    """Whether this run of `publish` has something to do: a refusal is to be shown as well, and a
    run from before it was asked for again comes too late."""
    if session.stage is not Stage.FINAL or session.publication is Publication.SHOWN:
        return False
    return run >= session.attempt(session.final_result).run


def given_up(session: Session, job: Job, words: str) -> Session:
    """A job that only shows what is in force has failed for good. `words`: what the owner was told
    of an image that was not published, empty where it was."""
    if not owes(session, job):
        return session
    match job.kind:
        case JobKind.SHOW_CANCELLED:
            return cancel_shown(session, job.attempt)
        case JobKind.PUBLISH:
            return not_published(session, words) if words else final_shown(session)
        case _:
            return retired(session)


def _recorded(session: Session, event: PublicationEvent) -> Session:
    if event not in PUBLICATION_TRANSITIONS[session.publication]:
        return session
    return replace(session, publication=next_publication(session.publication, event))
