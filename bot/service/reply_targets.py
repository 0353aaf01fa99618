"""Which session of a thread, and which of its images, a person's reply is about."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.attempt import ImageRef
from bot.domain.policy import Policy
from bot.domain.session import Session, asked_before
from bot.domain.stages import Stage
from bot.service.access import RequestOrigin

_DRAFTS_OFFERED = 4


def target_session(
    there: Sequence[Session], origin: RequestOrigin, policy: Policy
) -> Session | None:
    """The newest open session that this person may direct, else the session whose thread it is,
    which may be another person's. `there` are the sessions of the thread, newest first."""
    mine = (s for s in there if policy.allows(origin.person, s))
    if session := next(filter(is_open, mine), None):
        return session
    parent = origin.thread_ts
    return next((s for s in there if parent in (s.root_ts, s.asked_ts)), None)


def session_with_reply(there: Sequence[Session], origin: RequestOrigin) -> Session | None:
    """The session to which the same reply went before."""
    started = origin.session_id()
    for session in there:
        kept = any(each.question_id == started for each in session.kept_words)
        if session.id == started or asked_before(session, origin.idempotency_key) or kept:
            return session
    return None


def is_open(session: Session) -> bool:
    """Whether it goes on: it is neither approved nor ended."""
    return session.stage is not Stage.FINAL and not session.discarded


def offered_images(session: Session) -> tuple[ImageRef, ...]:
    """The images of the newest drafts, oldest first; of a newest draft with several candidates,
    its own alone."""
    drafts = [attempt for attempt in session.attempts if attempt.has_draft][-_DRAFTS_OFFERED:]
    if drafts and len(drafts[-1].candidates) > 1:
        drafts = drafts[-1:]
    return tuple(ImageRef(a.number, c.number) for a in drafts for c in a.images)
