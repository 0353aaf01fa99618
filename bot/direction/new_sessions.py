"""How a session begins: from a prompt, from a form, from a picture, from an approved one."""

from __future__ import annotations

import asyncio

from bot.direction.judge import Judge, clean_change
from bot.direction.place import Place
from bot.domain import steps
from bot.domain.attempt import Source
from bot.domain.errors import StoreUnavailable
from bot.domain.flags import parse_flags
from bot.domain.options import Options
from bot.domain.person import Person
from bot.domain.prompt import clean_prompt
from bot.domain.session import Session
from bot.telemetry.context import about, turn_to

_RETRACT_FOR = 300.0


class NewSessions(Judge):
    """A session is kept, or taken back where that is in doubt."""

    async def start(
        self,
        place: Place,
        text: str,
        source: Source | None = None,
        options: Options | None = None,
        *,
        may_wait: bool = False,
    ) -> Session:
        """A new session from what was typed. `options` are those of a form, which holds all there
        are; without one, the person's defaults stand behind what was typed. With `may_wait`, and
        no prompt among the words, the session waits for one."""
        typed, flags = parse_flags(text, self.qualities)
        waits = may_wait and not typed.strip()
        clean = clean_prompt if source is None else clean_change
        prompt = "" if waits else clean(typed)
        if options is None:
            options = await self.defaults(place.team, place.owner)
        session = self._new(place, flags.over(options))
        if not waits:
            session = steps.submit(session, prompt, self._now(), session.options, source)
        return await self._create(session)

    async def restart(self, place: Place, old: Session) -> Session:
        """A new session that will start an approved one over, once its form is submitted: with
        the approved image's options, and from the same picture where it began with one."""
        options = old.attempt(old.final_result).options
        return await self._create(self._new(place, options, old.source, restarts=old.id))

    async def submit(
        self, session_id: str, person: Person, text: str, options: Options
    ) -> tuple[Session, Session | None]:
        """The form of a new session. One that starts over clears the approved one first, which is
        answered too: its messages are to be retired."""
        prompt, options = self._read(text, options)
        session = await self._allowed(session_id, person)
        old = None
        if session.restarts:
            old = await self._clear(session.restarts, person, successor=session.id)
        submitted = await self._sessions.update(
            session_id, lambda s: steps.submit(s, prompt, self._now(), options)
        )
        return submitted, old

    async def may_start_over(self, session_id: str, person: Person) -> Session:
        """Whether the form may open; changes nothing."""
        session = await self._allowed(session_id, person)
        steps.can_start_over(session)
        return session

    def _new(
        self, place: Place, options: Options, source: Source | None = None, restarts: str = ""
    ) -> Session:
        now = self._now()
        return Session(
            id=place.session_id(),
            team=place.team,
            user=place.user,
            owner_org=place.person.org,
            channel=place.channel,
            options=options,
            source=source,
            thread_ts=place.thread_ts,
            response_url=place.response_url,
            restarts=restarts,
            created_at=now,
            updated_at=now,
        )

    async def _create(self, session: Session) -> Session:
        turn_to(session.id)
        try:
            return await self._sessions.create(session)
        except (StoreUnavailable, asyncio.CancelledError):
            # It may have been kept all the same, and the person is told to try again. Whoever
            # waits for a slow store gives up by cancelling.
            self._tasks.spawn(self._retract(session.id))
            raise

    async def _retract(self, session_id: str) -> None:
        async with asyncio.timeout(_RETRACT_FOR):
            while True:
                try:
                    return await self._sessions.discard(session_id)
                except StoreUnavailable:
                    await asyncio.sleep(0.5)

    async def _clear(self, session_id: str, person: Person, successor: str) -> Session:
        with about(session_id):
            await self._allowed(session_id, person)
            old = await self._sessions.update(
                session_id, lambda s: steps.start_over(s, successor, self._now())
            )
            await self._sessions.drop_images(old)
        return old
