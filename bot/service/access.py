"""Where a request comes from, and whether its person may decide about a session."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.policy import Person, Policy
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind
from bot.domain.stages import Stage
from bot.ports import SessionRecords
from bot.telemetry.context import set_log_fields

RECORD_LAG = 1.0
"""Seconds that a click may be ahead of the record of the message it was made on."""
_LOOK_AGAIN = 0.05


@dataclass(frozen=True)
class RequestOrigin:
    """`team` is the installation. `idempotency_key` is unique to the request: one that is
    delivered twice starts one session. `thread_ts` is set where the request was made inside a
    thread, `message_ts` where it is a message. `place` is the kind of conversation that `channel`
    is."""

    team: str
    person: Person
    channel: str
    response_url: str
    idempotency_key: str
    thread_ts: str = ""
    place: ConversationKind = ConversationKind.CHANNEL
    message_ts: str = ""

    @property
    def owner(self) -> str:
        """The person's key in the installation: names their sessions and defaults."""
        return self.person.key_in(self.team)

    def session_id(self) -> str:
        key = self.idempotency_key.encode(errors="surrogatepass")
        return f"{self.team}.{self.owner}.{hashlib.sha256(key).hexdigest()[:20]}"


class AccessControl:
    """Loads a session for a person. `now` answers seconds since the epoch."""

    def __init__(self, sessions: SessionRecords, policy: Policy, now: Callable[[], float]) -> None:
        self._sessions = sessions
        self._policy = policy
        self._now = now

    async def require_allowed(self, session_id: str, person: Person) -> Session:
        """Load. Raises `Refusal(NOT_ALLOWED)` where the person may not decide about it."""
        set_log_fields(session_id)
        session = await self._sessions.load(session_id)
        if not self._policy.allows(person, session):
            raise Refusal(Reason.NOT_ALLOWED, session.user)
        return session

    async def load_in(self, team: str, session_id: str) -> Session:
        """Load for anybody in the installation. Raises `Refusal(EXPIRED)` in another one."""
        set_log_fields(session_id)
        session = await self._sessions.load(session_id)
        if session.team != team:
            raise Refusal(Reason.EXPIRED)
        return session

    async def await_recorded(self, session_id: str, attempt: int, person: Person) -> Session:
        """Load; if the click beat our record of the attempt's message, wait up to `RECORD_LAG`."""
        deadline = self._now() + RECORD_LAG
        session = await self.require_allowed(session_id, person)
        while (
            session.stage is Stage.GENERATING
            and session.latest.number == attempt
            and self._now() < deadline
        ):
            await asyncio.sleep(_LOOK_AGAIN)
            session = await self._sessions.load(session_id)
        return session
