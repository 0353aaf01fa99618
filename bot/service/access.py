"""Who may decide about a session, and what was typed, taken apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.domain.errors import Reason, Refusal
from bot.domain.flags import parse_flags
from bot.domain.options import QUALITIES, Options
from bot.domain.person import Person
from bot.domain.policy import Policy
from bot.domain.prompt import clean_prompt
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import Cancellations, JobQueue, SessionStore
from bot.tasks import BackgroundTasks
from bot.telemetry.context import turn_to

_OVERTAKING = 1.0
"""Seconds that a click may be ahead of the record of the message it was made on."""


class Judge:
    """`now` answers seconds since the epoch; `qualities` are those that the image model has."""

    def __init__(
        self,
        sessions: SessionStore,
        queue: JobQueue,
        cancellations: Cancellations,
        policy: Policy,
        tasks: BackgroundTasks,
        now: Callable[[], float],
        qualities: tuple[str, ...] = QUALITIES,
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._cancellations = cancellations
        self._policy = policy
        self._tasks = tasks
        self._now = now
        self.qualities = qualities

    async def defaults(self, team: str, owner: str) -> Options:
        """A person's own default options, without a quality that this model does not have."""
        kept = await self._sessions.defaults_of(team, owner)
        return kept if kept.quality in self.qualities else replace(kept, quality="")

    async def _allowed(self, session_id: str, person: Person) -> Session:
        turn_to(session_id)
        session = await self._sessions.load(session_id)
        if not self._policy.allows(person, session):
            raise Refusal(Reason.NOT_ALLOWED, session.user)
        return session

    async def _reached(self, session_id: str, attempt: int, person: Person) -> Session:
        """The session, once it is recorded that the clicked attempt's message was posted."""
        deadline = self._now() + _OVERTAKING
        session = await self._allowed(session_id, person)
        while (
            session.stage is Stage.GENERATING
            and session.latest.number == attempt
            and self._now() < deadline
        ):
            await asyncio.sleep(0.05)
            session = await self._sessions.load(session_id)
        return session

    def _read(self, text: str, options: Options) -> tuple[str, Options]:
        """What was typed into a form: options among the words count more than the selects."""
        typed, flags = parse_flags(text, self.qualities)
        return clean_prompt(typed), flags.over(options)


def clean_change(text: str) -> str:
    """What should be different about an image, made fit like a prompt."""
    try:
        return clean_prompt(text)
    except Refusal as refusal:
        if refusal.reason is Reason.EMPTY_PROMPT:
            raise Refusal(Reason.EMPTY_CHANGE) from None
        raise
