"""The gateway: every attempt begins here.

A command, a mention, a direct message, a form, Regenerate, Try again, Refine, Edit prompt and Start
over all begin their attempts here. Every rule is asked before anything is stored; a rule says no by
raising `Refusal`. No other module imports `bot.domain.begin`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from bot.concurrency import BackgroundTasks
from bot.domain import begin
from bot.domain.attempt import ImageRef
from bot.domain.errors import StoreUnavailable
from bot.domain.limits import ReducedRequest
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options, OptionTable
from bot.domain.policy import Person
from bot.domain.prompt import ParsedText, clean_change, clean_prompt, parse_flags
from bot.domain.publication import publish_again
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import AttemptRule, Change, ExtraWrites, Record, SessionStore
from bot.service.access import AccessControl
from bot.service.attempt_rules import Approval, ask_rules, record_refusal, until_written
from bot.service.refused_requests import with_offers
from bot.service.taking_back import take_back
from bot.telemetry.context import set_log_fields

Reserve = Callable[[Person, Session, Session], Session]
"""From the person, and the session before and after an attempt begins, the session with the
attempt's reservation."""


def without_reservation(person: Person, before: Session, after: Session) -> Session:
    return after


class AttemptGateway:
    """Each method begins one attempt, or raises `Refusal` and has stored nothing; `store_new`
    stores a session that waits for its first prompt. `idempotency_key` is unique to the request:
    delivered twice, it begins one attempt, and no rule is asked again. `tasks` discard sessions
    that nobody waits for; `option_table` holds the options of the image model. `reserve` gives a
    new attempt its reservation. `record` is told what a rule refuses; the store tells it what the
    commit refuses."""

    def __init__(
        self,
        sessions: SessionStore,
        tasks: BackgroundTasks,
        access: AccessControl,
        now: Callable[[], float],
        option_table: OptionTable = OPTIONS,
        rules: tuple[AttemptRule, ...] = (),
        reserve: Reserve = without_reservation,
        record: Record | None = None,
    ) -> None:
        self._sessions = sessions
        self._record = record
        self._tasks = tasks
        self._access = access
        self._now = now
        self._option_table = option_table
        self._rules = rules
        self._reserve = reserve

    async def create(self, session: Session, person: Person, prompt: str) -> Session:
        """Store a new session with its first attempt, or return the session that has this id
        already. The look-up keeps a second delivery from asking a rule again, and from discarding
        the first one's session where the store goes away."""
        for known in await self._sessions.load_many([session.id]):
            return known
        begun = begin.submit(session, prompt, self._now(), session.options)
        begun = self._reserve(person, session, begun)
        begun = begin.asked_by(session, begun, person.user)
        async with with_offers(self._sessions, person, session.team):
            approved = await self._ask_rules(person, session, begun, session.id)
            return await self.store_new(begun, approved.extra)

    async def store_new(self, session: Session, extra: ExtraWrites | None = None) -> Session:
        """Store a new session, which may wait for its first prompt. Answers the session that is
        there where the id is taken already.

        Where the store's answer is lost, the person is told to try again although the session may
        be stored, so a session that this call stored is discarded. A caller that does not wait for
        a slow store cancels the call.
        """
        set_log_fields(session.id)
        write_id = uuid4().hex
        try:
            return await self._sessions.create(session, extra=extra, write_id=write_id)
        except (StoreUnavailable, asyncio.CancelledError):
            discard = partial(self._sessions.discard, session, write_id)
            self._tasks.spawn(take_back(session.id, discard))
            raise

    async def submit(self, session_id: str, person: Person, text: str, options: Options) -> Session:
        """The form of a session that waits for its first prompt."""
        prompt, options = self._read_form(text, options)
        session = await self._access.require_allowed(session_id, person)

        def change(session: Session) -> Session:
            begun = begin.submit(session, prompt, self._now(), options)
            begun = self._reserve(person, session, begun)
            return begin.asked_by(session, begun, person.user)

        return await self._begin(person, session, change, session.id)

    async def regenerate(
        self, session_id: str, image: ImageRef, person: Person, idempotency_key: str = ""
    ) -> Session:
        session = await self._access.await_recorded(session_id, image.attempt, person)

        def change(session: Session) -> Session:
            return begin.regenerate(session, image.attempt, self._now(), idempotency_key)

        return await self._begin(person, session, change, idempotency_key)

    async def try_again(
        self, session_id: str, image: ImageRef, person: Person, idempotency_key: str = ""
    ) -> Session:
        """After a failure or a cancellation: begin another attempt, or publish the approved image
        again, which begins none."""
        session = await self._access.await_recorded(session_id, image.attempt, person)

        def change(session: Session) -> Session:
            if session.stage is Stage.FINAL:
                return publish_again(session, image.attempt, self._now(), idempotency_key)
            return begin.try_again(session, image.attempt, self._now(), idempotency_key)

        return await self._begin(person, session, change, idempotency_key)

    async def refine(
        self, session_id: str, image: ImageRef, person: Person, text: str, idempotency_key: str = ""
    ) -> Session:
        """Edit an image; the text may hold options."""
        said = parse_flags(text, self._option_table)
        wanted = clean_change(said.prompt)
        session = await self._access.await_recorded(session_id, image.attempt, person)

        def change(session: Session) -> Session:
            now = self._now()
            return begin.refine(
                session, image, wanted, now, options=said.options, idempotency_key=idempotency_key
            )

        return await self._begin(person, session, change, idempotency_key)

    async def edit(
        self,
        session_id: str,
        attempt: int,
        person: Person,
        text: str,
        options: Options,
        idempotency_key: str = "",
    ) -> Session:
        """Begin from another prompt or with other options."""
        prompt, options = self._read_form(text, options)
        session = await self._access.await_recorded(session_id, attempt, person)

        def change(session: Session) -> Session:
            return begin.edit(session, attempt, prompt, options, self._now(), idempotency_key)

        return await self._begin(person, session, change, idempotency_key)

    async def reply(
        self, session_id: str, attempt: int, person: Person, said: ParsedText, idempotency_key: str
    ) -> Session:
        """Apply a reply in the session's thread, given when `attempt` was the newest."""
        session = await self._access.await_recorded(session_id, attempt, person)

        def change(session: Session) -> Session:
            return begin.reply(session, said, self._now(), idempotency_key)

        return await self._begin(person, session, change, idempotency_key)

    async def begin_reduced(
        self,
        session_id: str,
        number: int,
        person: Person,
        reduced: ReducedRequest,
        idempotency_key: str,
    ) -> Session:
        """Begin what a limit leaves of an attempt that it refused."""
        session = await self._access.await_recorded(session_id, number, person)

        def change(session: Session) -> Session:
            return begin.begin_reduced(session, number, reduced, self._now(), idempotency_key)

        return await self._begin(person, session, change, idempotency_key)

    async def check_can_refine(self, session_id: str, image: ImageRef, person: Person) -> Session:
        """Raises `Refusal` before the form opens, where its submission would be refused."""
        session = await self._access.await_recorded(session_id, image.attempt, person)
        begin.check_can_refine(session, image)
        return session

    async def check_can_edit(self, session_id: str, attempt: int, person: Person) -> Session:
        session = await self._access.await_recorded(session_id, attempt, person)
        begin.check_can_edit(session, attempt)
        return session

    async def _begin(
        self, person: Person, session: Session, change: Change, idempotency_key: str
    ) -> Session:
        """Ask the rules about the attempt that the change makes of the loaded session; then apply
        the change by compare-and-set."""

        def begun(session: Session) -> Session:
            begun = self._reserve(person, session, change(session))
            return begin.asked_by(session, begun, person.user)

        async def check_and_write(session: Session) -> Session:
            approved = await self._ask_rules(person, session, begun(session), idempotency_key)
            return await self._sessions.update(
                session.id,
                lambda current: approved.require(current, begun(current)),
                approved.extra,
            )

        async with with_offers(self._sessions, person, session.team):
            return await until_written(self._sessions, session, check_and_write)

    async def _ask_rules(
        self, person: Person, before: Session, after: Session, idempotency_key: str
    ) -> Approval:
        try:
            return await ask_rules(self._rules, person, before, after, idempotency_key)
        except Refusal as refusal:
            if self._record:
                await record_refusal(self._record, after, refusal)
            raise

    def _read_form(self, text: str, options: Options) -> tuple[str, Options]:
        """Parse a form. Raises `Refusal`, also where its text and its selects disagree."""
        said = parse_flags(text, self._option_table)
        return clean_prompt(said.prompt), said.options.agreeing_with(options)
