"""Channels in which the bot can post no more: archived, deleted, or it was removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.jobs import due_jobs
from bot.domain.publication import given_up, given_up_unpublished
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from bot.ports import UnfinishedSessions
from bot.views.failure_words import failure_words
from bot.views.slack_refusals import not_published_words

_AT_A_TIME = 100
"""Sessions that are loaded in one round trip."""


@dataclass(frozen=True)
class EndedSession:
    """A session that waited for something there; `words` are for its owner. `failed` is the attempt
    that can be tried again; 0 for none."""

    session: Session
    words: str
    failed: int = 0


class LostChannels:
    """Ends what sessions are owed there, so that no job tries it. `now` answers seconds since the
    epoch."""

    def __init__(self, sessions: UnfinishedSessions, now: Callable[[], float]) -> None:
        self._sessions = sessions
        self._now = now

    async def give_up(
        self, team: str, channel: str, kind: FailureKind, bot_name: str
    ) -> list[EndedSession]:
        """Returns the sessions whose owners are to be told: not those of which only messages would
        have changed. Once more for the same channel, it changes nothing. Raises
        `StoreUnavailable`."""
        ended = []
        for ids in _pages([each.session_id for each in await self._sessions.unfinished(0.0)]):
            for session in await self._sessions.load_many(ids):
                if (session.team, session.channel) == (team, channel) and due_jobs(session):
                    ended.append(await self._end(session, kind, bot_name))
        return [each for each in ended if each is not None]

    async def _end(self, session: Session, kind: FailureKind, bot_name: str) -> EndedSession | None:
        ended: EndedSession | None = None

        def end(current: Session) -> Session:
            nonlocal ended
            current, ended = _ended(current, kind, bot_name, self._now())
            return current

        try:
            await self._sessions.update(session.id, end)
        except Refusal:  # it has moved on, or expired
            return None
        return ended


def _ended(
    session: Session, kind: FailureKind, bot_name: str, now: float
) -> tuple[Session, EndedSession | None]:
    if session.stage is Stage.GENERATING:
        number, made = session.latest.number, bool(session.latest.images)
        words = failure_words(kind, bot_name=bot_name, channel=session.channel, made=made)
        failed = attempt_failed(session, number, kind, words, "", now)
        return failed, EndedSession(session, words, failed=number)
    if session.publication is not Publication.TO_PUBLISH:
        for job in due_jobs(session):
            session = given_up(session, job)
        return session, None
    words = not_published_words(session, kind, bot_name)
    refused = session
    for job in due_jobs(session):
        refused = given_up_unpublished(refused, job, words)
    return refused, EndedSession(session, words)


def _pages(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_A_TIME):
        yield ids[start : start + _AT_A_TIME]
