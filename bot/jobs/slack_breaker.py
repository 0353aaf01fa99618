"""`SlackBreaker`: a circuit breaker. While Slack refuses the app, no worker pays for anything.

    closed ── Slack refuses the app (`report`) ─→ open ── a good `auth.test` ─→ half open
       ↑                                            ↑                              │
       └── the method that was refused works ───────┼──────────────────────────────┤
           (`worked`), or nothing is refused        └── the app is refused again ──┘
           for `QUIET_FOR`

Half open, jobs go on with what costs nothing, such as showing an image that is paid for, and
nothing new is paid for. Its state is in Redis, for all processes. While Redis is away each process
goes by its own.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bot.concurrency import BackgroundTasks
from bot.domain.errors import SlackShutOut, StoreUnavailable
from bot.domain.shut_out import ShutOut
from bot.ports import ShutOuts
from bot.telemetry.metrics import SLACK_SHUT_OUT

log = logging.getLogger(__name__)

LOOK_EVERY = 4.0
"""Seconds, on the average."""
DOUBT_FOR = 5.0
"""Seconds that a paid call waits for the answer to a doubt."""
QUIET_FOR = 45.0
"""Seconds; jobs that are put off come back sooner."""


class AuthTest(NamedTuple):
    """What `auth.test` says: whether Slack refuses it, and the scopes, perhaps none, where it is
    good. An answer that does not come is neither."""

    refused: bool
    scopes: frozenset[str] | None


AskSlack = Callable[[], Awaitable[AuthTest]]


class SlackBreaker:
    """`auth_test` asks Slack; `now` answers seconds since the epoch."""

    def __init__(
        self,
        kept: ShutOuts,
        auth_test: AskSlack,
        tasks: BackgroundTasks,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._kept = kept
        self._auth_test = auth_test
        self._tasks = tasks
        self._now = now
        self._state: ShutOut | None = None
        self._unsaved = False
        self._doubt: asyncio.Task[None] | None = None
        self._half_open: tuple[ShutOut, float] | None = None

    @property
    def is_closed(self) -> bool:
        """As far as this process knows."""
        return self._state is None

    def report(self, method: str, code: str) -> None:
        """Slack refused the app: open."""
        if self._state is not None and not self._state.half_open:
            return
        self._change(ShutOut(method, code, self._now()))
        self._tasks.spawn(self._save())

    def doubt(self, method: str, code: str) -> None:
        """Slack refused what may concern one channel or the whole app: ask it which."""
        if self.is_closed and (self._doubt is None or self._doubt.done()):
            self._doubt = asyncio.create_task(self._resolve_doubt(method, code))

    async def _resolve_doubt(self, method: str, code: str) -> None:
        refused, _ = await self._auth_test()
        if refused:
            self.report(method, code)

    async def require_closed(self) -> None:
        """Before a paid call. Raises `SlackShutOut` unless the breaker is closed."""
        if self._doubt is not None:
            await asyncio.wait({self._doubt}, timeout=DOUBT_FOR)
        if (state := await self._load()) is not None:
            raise SlackShutOut(state.method, state.code)

    async def require_not_open(self) -> None:
        """Before a free call. Raises `SlackShutOut` while Slack would refuse it."""
        state = await self._load()
        if state is not None and not state.half_open:
            raise SlackShutOut(state.method, state.code)

    def worked(self, method: str) -> None:
        """Slack took a call: half open, that closes it where it is the method that was refused."""
        state = self._state
        if state is not None and state.half_open and state.method == method:
            self._change(None)
            self._tasks.spawn(self._save())

    async def watch(self) -> None:
        """Look for ever whether Slack lets the app in again."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def look(self) -> None:
        if self._unsaved:
            await self._save()
        state = await self._load()
        if state is None:
            return
        if state.half_open:
            await self._wait_for_quiet(state)
            return
        _, scopes = await self._auth_test()
        if scopes is not None and state.may_be_over(scopes) and self._state == state:
            log.warning("auth.test is good again: nothing is paid for until what was refused works")
            self._change(state.half_opened())
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

    async def _wait_for_quiet(self, state: ShutOut) -> None:
        """Where nothing uses the method, a while without a refusal is enough."""
        if self._half_open is None or self._half_open[0] != state:
            self._half_open = (state, self._now())
        elif self._now() - self._half_open[1] >= QUIET_FOR:
            self._change(None)
            await self._save()

    def _change(self, state: ShutOut | None) -> None:
        """To be saved, so that other processes hear of it."""
        self._set(state)
        self._unsaved = True

    def _set(self, state: ShutOut | None) -> None:
        before, self._state = self._state, state
        SLACK_SHUT_OUT.set(state is not None)
        if state is not None and not state.half_open and (before is None or before.half_open):
            log.error("%s. Nothing is generated until then", state)
        elif state is None and before is not None:
            log.warning("Slack lets the app in again")
