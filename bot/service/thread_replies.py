"""Replies of a person to the bot in a thread.

A thread may hold several sessions, of several people. A reply goes to a session that its author may
direct. Below a session's root message, or the message that started it, a reply is about that
session; in any other thread, a reply that no session waits for starts a new one.
"""

from __future__ import annotations

from bot.domain.errors import Reason, Refusal
from bot.domain.options import OPTIONS, OptionTable
from bot.domain.prompt import parse_flags
from bot.domain.session import Policy, Session, asked_before
from bot.domain.stages import Stage
from bot.ports import SessionLists
from bot.service.access import RequestOrigin
from bot.service.decisions import Decisions, stopped_by
from bot.service.gateway import AttemptGateway


class ThreadReplies:
    """A reply goes to the newest session of the thread that the person may direct."""

    def __init__(
        self,
        sessions: SessionLists,
        policy: Policy,
        gateway: AttemptGateway,
        decisions: Decisions,
        option_table: OptionTable = OPTIONS,
    ) -> None:
        self._sessions = sessions
        self._policy = policy
        self._gateway = gateway
        self._decisions = decisions
        self._option_table = option_table

    async def apply_reply(self, origin: RequestOrigin, text: str) -> Session | None:
        """Change the newest draft, or, where there is none yet, begin from another prompt. Returns
        None where no session there takes the reply. A reply that is delivered twice counts
        once."""
        there, key = await self._in_thread(origin), origin.idempotency_key
        for session in there:
            if session.id == origin.session_id() or asked_before(session, key):
                return session
        target = self._target_session(there, origin)
        if target is None:
            return None
        said = parse_flags(text, self._option_table)
        return await self._gateway.reply(target.id, len(target.attempts), origin.person, said, key)

    async def cancel(self, origin: RequestOrigin) -> Session | None:
        """Stop a person's attempt in a thread. Returns None where the thread has no session."""
        there = await self._in_thread(origin)
        if stopped := stopped_by(there, origin):
            return stopped
        mine = [s for s in there if self._policy.allows(origin.person, s)]
        running = (session for session in mine if session.stage is Stage.GENERATING)
        session = next(running, None) or self._target_session(there, origin)
        return await self._decisions.cancel_latest(session, origin) if session else None

    async def _in_thread(self, origin: RequestOrigin) -> list[Session]:
        """Newest first."""
        ids = await self._sessions.in_thread(origin.team, origin.channel, origin.thread_ts)
        return await self._sessions.load_many(ids)

    def _target_session(self, there: list[Session], origin: RequestOrigin) -> Session | None:
        """The newest session that waits for this person, else the session whose thread it is.
        Raises `Refusal(NOT_ALLOWED)` in the thread of another person's session."""
        mine = [s for s in there if self._policy.allows(origin.person, s)]
        waiting = (s for s in mine if s.stage is not Stage.FINAL and not s.started_over)
        if session := next(waiting, None):
            return session
        parent = origin.thread_ts
        root = next((s for s in there if parent in (s.root_ts, s.asked_ts)), None)
        if root is not None and root not in mine:
            raise Refusal(Reason.NOT_ALLOWED, root.user)
        return root
