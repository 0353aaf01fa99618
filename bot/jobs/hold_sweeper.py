"""Settles the holds that no worker settles: of sessions that are gone or do not have them, and of
calls whose run died after its attempt was over."""

from __future__ import annotations

import logging

from bot.domain.books import books_of, call_ended, open_calls
from bot.domain.errors import ImagineError
from bot.domain.generation import LOST
from bot.domain.refusals import Refusal
from bot.jobs.repeating import repeat_for_ever
from bot.ports import Heartbeats, Hold, Holds, SessionRecords
from bot.telemetry.context import log_context

log = logging.getLogger(__name__)

INTERVAL = 20.0
QUIET_FOR = 30.0
"""Seconds without a change before a hold is looked at; a cancelled call is settled within these."""


class HoldSweeper:
    """Looks every `interval` seconds at the holds that are unchanged for `quiet_for` seconds. A
    hold that a job still owes its call keeps it."""

    def __init__(
        self,
        holds: Holds,
        sessions: SessionRecords,
        heartbeats: Heartbeats,
        *,
        interval: float = INTERVAL,
        quiet_for: float = QUIET_FOR,
    ) -> None:
        self._holds = holds
        self._sessions = sessions
        self._heartbeats = heartbeats
        self._interval = interval
        self._quiet_for = quiet_for

    async def run(self) -> None:
        """Sweep for ever."""
        await repeat_for_ever(self.sweep, self._interval, log, "settling")

    async def sweep(self) -> None:
        """Look at every hold once. One that cannot be settled keeps no other from it."""
        for hold in await self._holds.older_than(self._quiet_for):
            with log_context(hold.session_id):
                try:
                    await self._check(hold)
                except ImagineError as error:
                    log.warning("a hold is put off: %s", error, extra={"call": hold.id})

    async def _check(self, hold: Hold) -> None:
        try:
            session = await self._sessions.load(hold.session_id)
        except Refusal:
            if await self._holds.settle(hold):
                log.info("settled the hold of a session that is gone", extra={"call": hold.id})
            return
        except ValueError as error:  # it cannot be read
            log.error("a hold is put off: %s", type(error).__name__)
            return
        if hold.id not in books_of(session).holds:  # a version without books wrote the session
            if await self._holds.settle(hold):
                log.warning(
                    "settled a hold that its session does not have", extra={"call": hold.id}
                )
            return
        for image, call in open_calls(session):
            is_this = (image, call.number) == (hold.image, hold.call)
            if is_this and not await self._heartbeats.is_alive(call.run_id):
                await self._sessions.update(
                    session.id, lambda s: call_ended(s, hold.image, hold.call, LOST)
                )
                log.warning("a paid call's answer was lost", extra={"call": hold.id})
