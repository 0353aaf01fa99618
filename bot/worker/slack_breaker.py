"""`SlackBreaker`: a circuit breaker. While Slack refuses the app, no worker pays for anything.

    closed ── Slack refuses the app (`report`) ─→ open ── a good `auth.test` ─→ half open
       ↑                                            ↑                              │
       └── a free call works (`admit`) ─────────────┼──────────────────────────────┤
                                                    └── the app is refused again ──┘

Its state is in Redis, for all processes. While Redis is away each process goes by its own.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from bot.domain.errors import SlackRefused, SlackShutOut, StoreUnavailable
from bot.domain.shut_out import ShutOut
from bot.ports import ShutOuts
from bot.tasks import BackgroundTasks
from bot.telemetry.metrics import SLACK_SHUT_OUT

log = logging.getLogger(__name__)

LOOK_EVERY = 4.0
"""Seconds, on the average."""

Scopes = Callable[[], Awaitable[frozenset[str] | None]]
"""The scopes that a good `auth.test` tells, perhaps none; None while it is not good."""


class SlackBreaker:
    """`scopes` asks Slack; `now` answers seconds since the epoch."""

    def __init__(
        self,
        kept: ShutOuts,
        scopes: Scopes,
        tasks: BackgroundTasks,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._kept = kept
        self._scopes = scopes
        self._tasks = tasks
        self._now = now
        self._state: ShutOut | None = None
        self._unsaved = False

    @property
    def is_closed(self) -> bool:
        """As far as this process knows."""
        return self._state is None

    def report(self, method: str, code: str) -> None:
        """Slack refused the app: open."""
        if self._state is not None and not self._state.half_open:
            return
        self._set(ShutOut(method, code, self._now()))
        self._unsaved = True
        self._tasks.spawn(self._save())

    async def check(self) -> None:
        """Before a paid call. Raises `SlackShutOut` unless the breaker is closed."""
        if (state := await self._load()) is not None:
            raise SlackShutOut(state.method, state.code)

    async def check_open(self) -> None:
        """Before a free call. Raises `SlackShutOut` while Slack would refuse it."""
        state = await self._load()
        if state is not None and not state.half_open:
            raise SlackShutOut(state.method, state.code)

    async def admit(self, try_out: Callable[[], Awaitable[None]]) -> None:
        """Before a generation. Raises `SlackShutOut` while Slack refuses the app. Half open,
        `try_out` makes free calls, which close the breaker where Slack takes them; what else it
        raises goes through."""
        await self.check_open()
        if self._state is None:
            return
        try:
            await try_out()
        except SlackRefused as error:  # about that session alone
            log.info("Slack takes the app's calls again: %s", error)
        await self._close()

    async def watch(self) -> None:
        """Look for ever whether Slack lets the app in again."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def look(self) -> None:
        if self._unsaved:
            await self._save()
        state = await self._load()
        if state is None or state.half_open:
            return
        scopes = await self._scopes()
        if scopes is not None and state.may_be_over(scopes) and self._state == state:
            log.warning("auth.test is good again: trying a free call before anything is paid for")
            self._set(state.half_opened())
            self._unsaved = True
            await self._save()

    async def _load(self) -> ShutOut | None:
        """The state as Redis has it, or as it is here while Redis is away, or has not got it."""
        if not self._unsaved:
            before = self._state
            try:
                kept = await self._kept.load()
            except StoreUnavailable:
                return self._state
            if self._state is before and not self._unsaved:
                self._set(kept)
        return self._state

    async def _save(self) -> None:
        state = self._state
        try:
            if state is None:
                await self._kept.clear()
            else:
                await self._kept.save(state)
        except StoreUnavailable as error:
            log.warning("other processes are not told yet how Slack stands: %s", error)
            return
        self._unsaved = self._state is not state

    async def _close(self) -> None:
        self._set(None)
        self._unsaved = True
        await self._save()

    def _set(self, state: ShutOut | None) -> None:
        before, self._state = self._state, state
        SLACK_SHUT_OUT.set(state is not None)
        if state is not None and not state.half_open and (before is None or before.half_open):
            log.error("%s. Nothing is generated until then", state)
        elif state is None and before is not None:
            log.warning("Slack lets the app in again")
