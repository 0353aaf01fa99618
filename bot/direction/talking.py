"""What a person says to the bot in a thread.

A thread may hold several sessions, of several people: each hears what its own directors say. Where
the thread hangs on a session's root message it is about that session; in anybody else's thread,
words that no session there waits for start a new one.
"""

from __future__ import annotations

from bot.direction.judge import Judge, clean_change
from bot.direction.place import Place
from bot.domain import steps
from bot.domain.attempt import ImageRef
from bot.domain.errors import Reason, Refusal
from bot.domain.flags import Parsed, parse_flags
from bot.domain.prompt import clean_prompt
from bot.domain.session import Session, asked_before
from bot.domain.stages import Stage


class Talking(Judge):
    """The newest session of a thread that the person may direct is the one that is meant."""

    async def said_in_thread(self, place: Place, text: str) -> Session | None:
        """A change to the newest draft, or, where there is none yet, another prompt. None where
        the words are for no session there. The same words, delivered twice, count once."""
        there = await self._in_thread(place)
        for session in there:
            if session.id == place.session_id() or asked_before(session, place.seed):
                return session
        meant = self._meant(there, place)
        if meant is None:
            return None
        said = parse_flags(text, self.qualities)
        await self._reached(meant.id, len(meant.attempts), place.person)
        return await self._sessions.update(meant.id, lambda s: self._heed(s, said, place.seed))

    async def _in_thread(self, place: Place) -> list[Session]:
        """Newest first."""
        ids = await self._sessions.in_thread(
            place.team, place.channel, place.thread_ts, place.owner
        )
        return await self._sessions.load_many(ids)

    def _meant(self, there: list[Session], place: Place) -> Session | None:
        """The newest that waits for this person. Raises `Refusal(NOT_ALLOWED)` in the thread of
        somebody else's session."""
        mine = [s for s in there if self._policy.allows(place.person, s)]
        waiting = (s for s in mine if s.stage is not Stage.FINAL and not s.started_over)
        if session := next(waiting, None):
            return session
        about = next((s for s in there if s.root_ts == place.thread_ts), None)
        if about is not None and about not in mine:
            raise Refusal(Reason.NOT_ALLOWED, about.user)
        return about

    def _heed(self, session: Session, said: Parsed, asked_by: str) -> Session:
        draft, now = session.newest_draft, self._now()
        if draft is None and session.attempts:
            number, options = session.latest.number, said.options.over(session.options)
            prompt = clean_prompt(said.prompt)
            return steps.edit(session, number, prompt, options, now, asked_by)
        image = ImageRef(draft.number, draft.images[0].number) if draft else ImageRef(0)
        change = clean_change(said.prompt)
        return steps.refine(session, image, change, now, options=said.options, asked_by=asked_by)
