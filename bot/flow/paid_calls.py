"""Before a paid call: no other run has one under way, and it is counted.

Of two runs of an attempt the one that began last asks. Where the other asked and lives, this one
waits for what comes of it: a run may have lost its job while Redis was full or away, and not the
image.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import replace

from bot.domain.attempt import MOST_ASKED, ImageRef
from bot.domain.errors import AskedTooOften, NotAsked
from bot.domain.session import Session, with_attempt
from bot.flow.plan import Plan
from bot.flow.shared import leads
from bot.ports import Heartbeats, SessionStore, SlackAccess
from bot.tasks import end

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds, on the average."""


class PaidCalls:
    """Whether a run may make the next paid call for a candidate."""

    def __init__(self, sessions: SessionStore, heartbeats: Heartbeats, access: SlackAccess) -> None:
        self._sessions = sessions
        self._access = access
        self._heartbeats = heartbeats

    async def wait_for_others(self, plan: Plan) -> None:
        """Return where there is something to ask for. Raises `NotAsked` where another run brought
        the image, or has taken the attempt over."""
        told = False
        while await self._another_asks(plan):
            if not told:
                log.info("another run has asked for the image: waiting for it")
            told = True
            await asyncio.sleep(LOOK_EVERY * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def _another_asks(self, plan: Plan) -> bool:
        session = await self._sessions.load(plan.session_id)
        if not leads(session, plan.ref.attempt, plan.runner):
            raise NotAsked
        candidate = session.latest.candidate(plan.ref.candidate)
        if candidate.has_image and not plan.encoded:
            plan.encoded = await self._sessions.load_image(plan.session_id, plan.ref) or ""
        if candidate.failure or candidate.file_id or plan.encoded:
            raise NotAsked
        plan.asked = candidate.asked
        if candidate.response_id and not plan.request.response_id:
            plan.request = replace(plan.request, response_id=candidate.response_id)
        if not candidate.awaits_answer or candidate.asked_by == plan.runner:
            return False
        return await self._heartbeats.is_alive(candidate.asked_by)

    async def count(self, plan: Plan) -> None:
        """Record the call that is about to be made. Raises `NotAsked` where it must not be, and
        `SlackShutOut` where what it brings could not be shown."""
        await self._access.require_closed()
        if plan.noting is not None:
            await end(plan.noting)
        before = plan.asked
        session = await self._sessions.update(
            plan.session_id, lambda s: counted(s, plan.ref, plan.runner, before)
        )
        if not leads(session, plan.ref.attempt, plan.runner):
            raise NotAsked
        plan.asked = session.latest.candidate(plan.ref.candidate).asked


def counted(session: Session, image: ImageRef, runner: str, before: int) -> Session:
    """The session with one more paid call for the candidate than `before`, by this run; the id of
    an earlier response is no good any more. The same call is counted once."""
    if not leads(session, image.attempt, runner):
        return session
    candidate = session.latest.candidate(image.candidate)
    if (candidate.asked, candidate.asked_by) == (before + 1, runner):
        return session
    if candidate.asked >= MOST_ASKED:
        raise AskedTooOften
    asked = replace(candidate, asked=candidate.asked + 1, asked_by=runner, response_id="")
    return with_attempt(session, session.latest.with_candidate(asked))
