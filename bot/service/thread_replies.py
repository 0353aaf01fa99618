"""Replies of a person to the bot in a thread.

A thread may hold several sessions, of several people. A reply goes to a session that its author may
direct. Below a session's root message, or the message that started it, a reply is about that
session; in any other thread, a reply that no session waits for starts a new one.

What a reply changes is never guessed. Where it is not clear which image is meant, the person is
asked; what is said while an attempt is being made is kept for its draft; and what somebody says who
may not decide is offered to those who may.
"""

from __future__ import annotations

from typing import NamedTuple

from bot.domain.attempt import ImageRef
from bot.domain.change_words import reads_like_change, reads_like_question
from bot.domain.image_names import read_change
from bot.domain.option_table import OPTIONS
from bot.domain.options import OptionTable
from bot.domain.policy import Person, Policy
from bot.domain.prompt import clean_change, parse_flags
from bot.domain.questions import ChangeQuestion
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import KeptWords, Session, asked_before
from bot.domain.stages import Stage
from bot.domain.transitions import AlreadyApproved, keep_words
from bot.ports import QuestionStore, SessionLists
from bot.service.access import AccessControl, RequestOrigin
from bot.service.decisions import Decisions, stopped_by
from bot.service.gateway import AttemptGateway
from bot.service.reply_targets import (
    is_open,
    offered_images,
    session_with_reply,
    target_session,
)
from bot.telemetry.context import set_log_fields

_RECENT = 20
"""How many of a person's sessions that changed last are searched for one in a channel."""
_KEPT_SHOWN = 600
"""Characters of kept words that the session itself holds, for its draft."""


class ChangeToConfirm(NamedTuple):
    """A change that is to be confirmed, with the images that it may be about. `unknown`: it names
    an image that there is not. `suggested`: its author may not decide. `first`: it has not been
    asked before."""

    session: Session
    question: ChangeQuestion
    images: tuple[ImageRef, ...]
    unknown: bool
    suggested: bool
    first: bool


class NothingToChange(NamedTuple):
    """A change is said where the session has no image: its attempts failed or were cancelled."""

    session: Session
    change: str


class KeptReply(NamedTuple):
    """Words that wait for the draft. `first`: they have not come before."""

    session: Session
    suggested: bool
    first: bool


class ThreadReplies:
    """A reply goes to the newest session of the thread that the person may direct."""

    def __init__(
        self,
        sessions: SessionLists,
        questions: QuestionStore,
        policy: Policy,
        access: AccessControl,
        gateway: AttemptGateway,
        decisions: Decisions,
        option_table: OptionTable = OPTIONS,
    ) -> None:
        self._sessions = sessions
        self._questions = questions
        self._policy = policy
        self._access = access
        self._gateway = gateway
        self._decisions = decisions
        self._option_table = option_table

    async def apply_reply(
        self, origin: RequestOrigin, text: str
    ) -> Session | ChangeToConfirm | KeptReply | NothingToChange | None:
        """Change the newest draft, or, where there is none yet, begin from another prompt. Returns
        None where no session there takes the reply. A reply that is delivered twice counts
        once."""
        there = await self._in_thread(origin)
        if known := session_with_reply(there, origin):
            if asked_before(known, origin.idempotency_key) or known.id == origin.session_id():
                return known
            return KeptReply(known, suggested=False, first=False)
        session = target_session(there, origin, self._policy)
        if session is None:
            return None
        if session.discarded:
            raise Refusal(Reason.DISCARDED, session.user)
        allowed = self._policy.allows(origin.person, session)
        if session.stage is Stage.GENERATING or (allowed and session.newest_draft is None):
            said = parse_flags(text, self._option_table)
            if session.stage is not Stage.GENERATING:
                if session.attempts and session.source is None and reads_like_change(said.prompt):
                    return NothingToChange(session, said.prompt)
                number, key = len(session.attempts), origin.idempotency_key
                return await self._gateway.reply(session.id, number, origin.person, said, key)
            if allowed and session.latest.is_generated:  # its draft may be there already
                number = session.latest.number
                session = await self._access.await_recorded(session.id, number, origin.person)
        return await self._change(session, origin, text, allowed=allowed)

    async def session_of_reply(self, origin: RequestOrigin) -> Session | None:
        """The session in the thread to which the same reply went before."""
        return session_with_reply(await self._in_thread(origin), origin)

    async def refine_as_asked(
        self, question_id: str, image: ImageRef, person: Person
    ) -> tuple[Session, ChangeQuestion]:
        """Make the change that a question holds, of the image that was chosen. One question begins
        one attempt. Raises `Refusal`."""
        question = await self._questions.question(question_id)
        if not isinstance(question, ChangeQuestion):
            raise Refusal(Reason.QUESTION_EXPIRED)
        set_log_fields(question.session_id)
        session = await self._gateway.refine(
            question.session_id, image, person, question.text, question.id
        )
        return session, question

    async def session_of_button(
        self, origin: RequestOrigin, *, to_restore: bool = False
    ) -> Session | None:
        """The session that the name of a button is about: in a thread the one that a reply goes to,
        elsewhere the person's newest of the channel, one that waits first. `to_restore`: one that
        was discarded comes before these. Raises `Refusal(NOT_ALLOWED)` in the thread of another
        person's session."""
        if origin.thread_ts:
            session = target_session(await self._in_thread(origin), origin, self._policy)
            if session is not None and not self._policy.allows(origin.person, session):
                raise Refusal(Reason.NOT_ALLOWED, session.user)
            return session
        entries = await self._sessions.summaries_of(origin.team, origin.owner)
        recent = await self._sessions.load_many([e.session_id for e in entries[:_RECENT]])
        here = [s for s in recent if s.channel == origin.channel and s.attempts]
        discarded = (s for s in here[:1] if to_restore and s.discarded)
        waiting = (s for s in here if is_open(s))
        return next(discarded, None) or next(waiting, None) or next(iter(here), None)

    async def session_in_thread(self, origin: RequestOrigin) -> tuple[Session | None, bool]:
        """The session of the thread that the person is told of, and whether they may direct it."""
        session = target_session(await self._in_thread(origin), origin, self._policy)
        return session, session is not None and self._policy.allows(origin.person, session)

    async def cancel(self, origin: RequestOrigin) -> Session | None:
        """Stop a person's attempt in a thread. Returns None where the thread has no session."""
        there = await self._in_thread(origin)
        if stopped := stopped_by(there, origin):
            return stopped
        mine = [s for s in there if self._policy.allows(origin.person, s)]
        running = (session for session in mine if session.stage is Stage.GENERATING)
        session = next(running, None) or target_session(there, origin, self._policy)
        if session is not None and session not in mine:
            raise Refusal(Reason.NOT_ALLOWED, session.user)
        return await self._decisions.cancel_latest(session, origin) if session else None

    async def _change(
        self, session: Session, origin: RequestOrigin, text: str, *, allowed: bool
    ) -> Session | ChangeToConfirm | KeptReply:
        """Refine the image that is named, keep the words, or have it asked which one is meant."""
        clean_change(parse_flags(text, self._option_table).prompt)
        asked_first: bool | None = None
        if session.stage is Stage.GENERATING and not session.latest.is_generated:
            kept = await self._keep(session, origin, text, allowed=allowed)
            if isinstance(kept, KeptReply):
                return kept
            asked_first = kept
            session = await self._sessions.load(session.id)
        working = session.stage is Stage.GENERATING
        attempt = session.latest if working else session.newest_draft
        if session.stage is Stage.FINAL or attempt is None:
            if not allowed:
                raise Refusal(Reason.NOT_ALLOWED, session.user)
            if session.stage is Stage.FINAL:
                raise AlreadyApproved(session, text)
            await self._gateway.check_can_refine(session.id, ImageRef(1), origin.person)
            raise Refusal(Reason.MOVED_ON, session.user)
        change = read_change(text, session, attempt)
        there = attempt.images or attempt.candidates
        shown = tuple(ImageRef(attempt.number, c.number) for c in there)
        images = change.images or (offered_images(session) if change.unknown else shown) or shown
        clear = len(images) == 1 and not change.unknown and not reads_like_question(text)
        if allowed and not working and clear:
            image, key = images[0], origin.idempotency_key
            return await self._gateway.refine(session.id, image, origin.person, change.text, key)
        question = ChangeQuestion(origin.session_id(), session.id, origin.person, change.text)
        if asked_first is None:
            asked_first = await self._questions.keep_question(question)
        return ChangeToConfirm(session, question, images, change.unknown, not allowed, asked_first)

    async def _keep(
        self, session: Session, origin: RequestOrigin, text: str, *, allowed: bool
    ) -> KeptReply | bool:
        """Where the session has moved on meanwhile, or holds too much already, whether the question
        is new."""
        change = read_change(text, session, session.latest)
        image = change.images[0] if len(change.images) == 1 else None
        question = ChangeQuestion(origin.session_id(), session.id, origin.person, change.text)
        first = await self._questions.keep_question(question)
        shown, number = change.text[:_KEPT_SHOWN], session.latest.number
        user, suggested = origin.person.user, not allowed
        kept = KeptWords(question.id, user, shown, number, image, suggested)
        try:
            session = await self._sessions.update(session.id, lambda s: keep_words(s, kept))
        except Refusal as refusal:
            if refusal.reason in (Reason.MOVED_ON, Reason.STILL_WORKING):
                return first
            raise
        return KeptReply(session, suggested, first=True)

    async def _in_thread(self, origin: RequestOrigin) -> list[Session]:
        """Newest first."""
        ids = await self._sessions.in_thread(origin.team, origin.channel, origin.thread_ts)
        return await self._sessions.load_many(ids)
