"""Stopping what is under way."""

from __future__ import annotations

from bot.domain import steps
from bot.domain.attempt import ImageRef
from bot.domain.errors import Reason, Refusal
from bot.domain.person import Person
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.service.origin import Place
from bot.service.thread_replies import Talking
from bot.views.words import CANCELLED

_LATELY = 20
"""Of the sessions that changed last, so many are looked at for one that was just stopped."""


class Cancelling(Talking):
    """The stage moves here; whoever works on the attempt is told by `Direction.queue_owed`."""

    async def cancel(
        self, session_id: str, image: ImageRef, person: Person, asked_by: str = ""
    ) -> Session:
        """Stop the attempt that is under way."""
        await self._allowed(session_id, person)
        return await self._sessions.update(
            session_id, lambda s: steps.cancel(s, image.attempt, CANCELLED, self._now(), asked_by)
        )

    async def cancel_newest(self, place: Place) -> tuple[Session, int]:
        """Stop the newest attempt that a person has under way, one in this channel first; answer
        how many others go on. The same request, delivered twice, stops one. Raises
        `Refusal(NOTHING_TO_CANCEL)`."""
        entries = await self._sessions.entries_of(place.team, place.owner)
        ids = [e.session_id for e in entries[:_LATELY] if e.stage is not Stage.GENERATING]
        ids += [e.session_id for e in entries if e.stage is Stage.GENERATING]
        loaded = await self._sessions.load_many(ids)
        running = [session for session in loaded if session.stage is Stage.GENERATING]
        if stopped := _stopped_by(loaded, place.session_id()):
            return stopped, len(running)
        if not running:
            raise Refusal(Reason.NOTHING_TO_CANCEL, place.user)
        newest = max(running, key=lambda s: (s.channel == place.channel, s.latest.queued_at))
        return await self._stop_latest(newest, place), len(running) - 1

    async def cancel_in_thread(self, place: Place) -> Session | None:
        """Stop what a person has under way in a thread. None where the thread is no session's."""
        there = await self._in_thread(place)
        if stopped := _stopped_by(there, place.session_id()):
            return stopped
        mine = [s for s in there if self._policy.allows(place.person, s)]
        running = (session for session in mine if session.stage is Stage.GENERATING)
        session = next(running, None) or self._meant(there, place)
        return await self._stop_latest(session, place) if session else None

    async def _stop_latest(self, session: Session, place: Place) -> Session:
        image = ImageRef(len(session.attempts))
        return await self.cancel(session.id, image, place.person, place.session_id())


def _stopped_by(sessions: list[Session], asked_by: str) -> Session | None:
    """The session that this very request has stopped."""
    return next((s for s in sessions if any(a.cancelled_by == asked_by for a in s.attempts)), None)
