"""What a person can do with a session, judged on the server.

Each method loads the session, asks the policy, takes the domain's step by compare-and-set and
answers the session as it now is, or raises `Refusal` or `StoreUnavailable`. When it returns, what
the person did is kept: the caller may ack, and then calls `queue_owed`. Should the process die
between the two, the sweeper queues the job.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.domain import session as steps
from bot.domain.errors import QueueUnavailable, Reason, Refusal, StoreUnavailable
from bot.domain.policy import Policy
from bot.domain.prompt import clean_prompt
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.work import owed
from bot.ports import JobQueue, SessionStore
from bot.tasks import BackgroundTasks

log = logging.getLogger(__name__)

_OVERTAKING = 1.0
"""Seconds that a click may be ahead of the record of the message it was made on."""
_RETRACT_FOR = 300.0


@dataclass(frozen=True)
class Place:
    """Where and by whom something is asked for. `seed` is unique to the request (its
    `trigger_id`), so that a request delivered twice starts one session."""

    team: str
    user: str
    channel: str
    response_url: str
    seed: str

    def session_id(self) -> str:
        token = hashlib.sha256(self.seed.encode()).hexdigest()[:20]
        return f"{self.team}.{self.user}.{token}"


class Direction:
    """Every decision that a person takes. `now` answers seconds since the epoch."""

    def __init__(
        self,
        sessions: SessionStore,
        queue: JobQueue,
        policy: Policy,
        tasks: BackgroundTasks,
        now: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._queue = queue
        self._policy = policy
        self._tasks = tasks
        self._now = now

    async def start(self, place: Place, text: str) -> Session:
        """A new session from a prompt."""
        prompt = clean_prompt(text)
        return await self._create(steps.submit(self._new(place), prompt, self._now()))

    async def open(self, place: Place, restarts: str = "") -> Session:
        """A new session whose prompt is still to come, from a form."""
        return await self._create(self._new(place, restarts))

    async def submit(self, session_id: str, user: str, text: str) -> tuple[Session, Session | None]:
        """The form of a new session. One that starts over clears the approved one first, which is
        answered too, as it was before."""
        prompt = clean_prompt(text)
        session = await self._allowed(session_id, user)
        old = None
        if session.restarts:
            old = await self._clear(session.restarts, user, successor=session.id)
        submitted = await self._sessions.update(
            session_id, lambda s: steps.submit(s, prompt, self._now())
        )
        return submitted, old

    async def approve(self, session_id: str, attempt: int, user: str) -> Session:
        await self._reached(session_id, attempt, user)
        return await self._sessions.update(
            session_id, lambda s: steps.approve(s, attempt, user, self._now())
        )

    async def regenerate(self, session_id: str, attempt: int, user: str) -> Session:
        await self._reached(session_id, attempt, user)
        return await self._sessions.update(
            session_id, lambda s: steps.regenerate(s, attempt, self._now())
        )

    async def try_again(
        self, session_id: str, attempt: int, user: str, text: str | None = None
    ) -> Session:
        """After a failure; with `text`, from that prompt instead."""
        prompt = "" if text is None else clean_prompt(text)
        await self._reached(session_id, attempt, user)
        return await self._sessions.update(
            session_id, lambda s: steps.try_again(s, attempt, self._now(), prompt)
        )

    async def may_edit(self, session_id: str, attempt: int, user: str) -> Session:
        """Whether a form to edit this attempt's prompt may open; changes nothing."""
        session = await self._reached(session_id, attempt, user)
        steps.try_again(session, attempt, self._now())
        return session

    async def may_start_over(self, session_id: str, user: str) -> Session:
        """Whether the form that starts over may open; changes nothing."""
        session = await self._allowed(session_id, user)
        steps.start_over(session, "-", self._now())
        return session

    async def queue_owed(self, session: Session) -> None:
        """Queue the session's next job. Never raises: what cannot be queued now, is swept."""
        job = owed(session)
        if job is None:
            return
        try:
            await self._queue.add(job)
        except QueueUnavailable:
            log.warning("the queue is away; the sweeper will queue %s", job.id)

    def _new(self, place: Place, restarts: str = "") -> Session:
        now = self._now()
        return Session(
            id=place.session_id(),
            team=place.team,
            user=place.user,
            channel=place.channel,
            response_url=place.response_url,
            restarts=restarts,
            created_at=now,
            updated_at=now,
        )

    async def _create(self, session: Session) -> Session:
        try:
            return await self._sessions.create(session)
        except StoreUnavailable:
            # It may have been kept all the same, and the person is told to try again.
            self._tasks.spawn(self._retract(session.id))
            raise

    async def _retract(self, session_id: str) -> None:
        async with asyncio.timeout(_RETRACT_FOR):
            while True:
                try:
                    return await self._sessions.discard(session_id)
                except StoreUnavailable:
                    await asyncio.sleep(0.5)

    async def _allowed(self, session_id: str, user: str) -> Session:
        session = await self._sessions.load(session_id)
        if not self._policy.allows(user, session.user):
            raise Refusal(Reason.NOT_ALLOWED, session.user)
        return session

    async def _reached(self, session_id: str, attempt: int, user: str) -> Session:
        """The session, once it is recorded that the clicked attempt's message was posted."""
        deadline = self._now() + _OVERTAKING
        session = await self._allowed(session_id, user)
        while (
            session.stage is Stage.GENERATING
            and session.latest.number == attempt
            and self._now() < deadline
        ):
            await asyncio.sleep(0.05)
            session = await self._sessions.load(session_id)
        return session

    async def _clear(self, session_id: str, user: str, successor: str) -> Session | None:
        """Answer the session as it was, or None where an earlier try cleared it already."""
        old = await self._allowed(session_id, user)
        await self._sessions.update(
            session_id, lambda s: steps.start_over(s, successor, self._now())
        )
        await self._sessions.drop_images(old)
        return old if old.final_result else None
