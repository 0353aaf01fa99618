"""What a person decides about a draft, by button or form."""

from __future__ import annotations

from bot.direction.judge import Judge, clean_change
from bot.domain import steps
from bot.domain.attempt import ImageRef
from bot.domain.ending import publish_again
from bot.domain.flags import parse_flags
from bot.domain.options import Options
from bot.domain.person import Person
from bot.domain.session import Session
from bot.domain.stages import Stage


class Drafts(Judge):
    """Each takes one step by compare-and-set, or raises `Refusal` and has changed nothing."""

    async def approve(self, session_id: str, image: ImageRef, person: Person) -> Session:
        await self._reached(session_id, image.attempt, person)
        return await self._sessions.update(
            session_id, lambda s: steps.approve(s, image, person.user, self._now())
        )

    async def use_earlier(self, session_id: str, image: ImageRef, person: Person) -> Session:
        await self._allowed(session_id, person)
        return await self._sessions.update(
            session_id, lambda s: steps.use_earlier(s, image, person.user, self._now())
        )

    async def regenerate(
        self, session_id: str, image: ImageRef, person: Person, asked_by: str = ""
    ) -> Session:
        """`asked_by` is unique to the request: delivered twice, it counts once."""
        await self._reached(session_id, image.attempt, person)
        return await self._sessions.update(
            session_id, lambda s: steps.regenerate(s, image.attempt, self._now(), asked_by)
        )

    async def try_again(
        self, session_id: str, image: ImageRef, person: Person, asked_by: str = ""
    ) -> Session:
        """After a failure or a cancellation: another attempt, or to publish what is approved."""
        await self._reached(session_id, image.attempt, person)

        def again(session: Session) -> Session:
            if session.stage is Stage.FINAL:
                return publish_again(session, image.attempt, asked_by)
            return steps.try_again(session, image.attempt, self._now(), asked_by)

        return await self._sessions.update(session_id, again)

    async def refine(
        self, session_id: str, image: ImageRef, person: Person, text: str, asked_by: str = ""
    ) -> Session:
        """`asked_by`: as with `regenerate`."""
        typed, options = parse_flags(text, self.qualities)
        change = clean_change(typed)
        await self._reached(session_id, image.attempt, person)
        return await self._sessions.update(
            session_id,
            lambda s: steps.refine(
                s, image, change, self._now(), options=options, asked_by=asked_by
            ),
        )

    async def edit(
        self,
        session_id: str,
        attempt: int,
        person: Person,
        text: str,
        options: Options,
        asked_by: str = "",
    ) -> Session:
        """Afresh, from another prompt or with other options."""
        prompt, options = self._read(text, options)
        await self._reached(session_id, attempt, person)
        return await self._sessions.update(
            session_id,
            lambda s: steps.edit(s, attempt, prompt, options, self._now(), asked_by),
        )

    # whether a form may open; these change nothing

    async def may_refine(self, session_id: str, image: ImageRef, person: Person) -> Session:
        session = await self._reached(session_id, image.attempt, person)
        steps.can_refine(session, image)
        return session

    async def may_edit(self, session_id: str, attempt: int, person: Person) -> Session:
        session = await self._reached(session_id, attempt, person)
        steps.can_edit(session, attempt)
        return session
