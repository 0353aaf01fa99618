"""The limit of a person's images that may wait, which the script that stores an attempt judges."""

from __future__ import annotations

from bot.domain.limits import CounterKind, counter_name
from bot.domain.session import Session
from bot.domain.session_ids import SessionId
from bot.domain.waiting import TooManyWaiting, images_waiting
from bot.ports import BeginRequest, ExtraWrite, ExtraWrites, Limit, WaitingImages


class WaitingLimit:
    """An `AttemptRule`: `at_most` images of one person wait. An attempt for more than that may
    begin where nothing waits."""

    def __init__(self, sessions: WaitingImages, at_most: int) -> None:
        self._sessions = sessions
        self._at_most = at_most

    async def check(self, request: BeginRequest) -> ExtraWrites:
        """Each session's number is written with it. Where one is wrong (its session has expired, or
        an older version wrote it), it is put right before anybody is refused."""
        team, user, _ = SessionId.parse(request.session.id)
        wanted = len(request.attempt.candidates)
        waiting = await self._sessions.images_waiting(team, user)
        sessions: list[Session] = []
        if self._exceeds(waiting, request.session.id, wanted):
            sessions = await self._sessions.load_many(list(waiting))
            waiting = await self._corrected(waiting, sessions)
        if self._exceeds(waiting, request.session.id, wanted):
            raise self._refusal(request, [s for s in sessions if s.id in waiting])
        limit = Limit(max(self._at_most, wanted), self._refusal(request, []))
        name = counter_name(CounterKind.IMAGES_WAITING, user)
        return lambda s: [ExtraWrite("HSET", name, (s.id, str(images_waiting(s))), limit)]

    def _exceeds(self, waiting: dict[str, int], session_id: str, wanted: int) -> bool:
        others = sum(number for id_, number in waiting.items() if id_ != session_id)
        return others + wanted > max(self._at_most, wanted)

    async def _corrected(self, waiting: dict[str, int], sessions: list[Session]) -> dict[str, int]:
        right = {session.id: images_waiting(session) for session in sessions}
        for session_id, number in waiting.items():
            if right.get(session_id, 0) != number:
                await self._sessions.correct_images_waiting(
                    session_id, number, right.get(session_id, 0)
                )
        return {session_id: number for session_id, number in right.items() if number}

    def _refusal(self, request: BeginRequest, sessions: list[Session]) -> TooManyWaiting:
        team, user, _ = SessionId.parse(request.session.id)
        own = request.person.key_in(team) == user
        newest = sorted(sessions, key=lambda s: s.latest.queued_at, reverse=True)
        return TooManyWaiting(self._at_most, tuple(newest) if own else (), request.session.user)
