"""A circuit breaker: while Slack refuses the app, no worker pays for anything.

    closed ── Slack refuses the app (`report`) ─→ open ── a good `auth.test` ─→ half open
       ↑                                            ↑                              │
       └── the method that was refused works ───────┼──────────────────────────────┤
           (`worked`), or nothing is refused        └── the app is refused again ──┘
           for `QUIET_FOR`

An event that says that the app was uninstalled opens it, too: nothing at all is called then, but
for an `auth.test` now and then, and a good one closes it.

While it is half open, jobs do what costs nothing, such as showing an image that is paid for. Its
state is in Redis, for all processes. While Redis is away each process uses its own.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bot.concurrency import BackgroundTasks
from bot.domain.app_blocked import AppBlocked
from bot.domain.errors import SlackAppBlocked, StoreUnavailable
from bot.ports import AppBlockedStore
from bot.telemetry.metrics import SLACK_APP_BLOCKED

log = logging.getLogger(__name__)

LOOK_EVERY = 4.0
"""Seconds between two looks, on the average."""
DOUBT_FOR = 5.0
"""Seconds that a paid call waits for the `auth.test` that a doubtful refusal has caused."""
LOOK_AFTER_UNINSTALLED_EVERY = 60.0
"""Seconds."""
QUIET_FOR = 45.0
"""Seconds without a refusal that close it. Jobs that are put off come back sooner."""


class AuthTest(NamedTuple):
    """The result of `auth.test`: whether Slack refuses the app, and the scopes where it does not,
    which may be empty. Without an answer it is `(False, None)`."""

    refused: bool
    scopes: frozenset[str] | None


CallAuthTest = Callable[[], Awaitable[AuthTest]]


class SlackBreaker:
    """`app_blocked_store` is the state in Redis, `now` seconds since the epoch. `_unsaved`: Redis
    does not have this process's state yet."""

    def __init__(
        self,
        app_blocked_store: AppBlockedStore,
        auth_test: CallAuthTest,
        tasks: BackgroundTasks,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._app_blocked_store = app_blocked_store
        self._auth_test = auth_test
        self._tasks = tasks
        self._now = now
        self._state: AppBlocked | None = None
        self._unsaved = False
        self._doubt: asyncio.Task[None] | None = None
        self._half_open: tuple[AppBlocked, float] | None = None
        self._look_not_before = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether, as far as this process knows, Slack does not refuse the app."""
        return self._state is None

    def before_call(self, method: str) -> None:
        """Before each call to Slack. Raises `SlackAppBlocked` while the app is uninstalled."""
        state = self._state
        if state is not None and state.uninstalled and method != "auth.test":
            raise SlackAppBlocked(state.method, state.code)

    async def close_if_uninstalled(self) -> None:
        """At the start of a process whose `auth.test` was good: the app is installed again."""
        state = await self._load()
        if state is not None and state.uninstalled:
            self._change(None)
            await self._save()

    def report(self, method: str, code: str) -> None:
        """Slack refused the app: open."""
        if self._state is not None and not self._state.half_open:
            return
        self._change(AppBlocked(method, code, self._now()))
        self._tasks.spawn(self._save())

    def doubt(self, method: str, code: str) -> None:
        """Slack refused a call, and that may be about one channel or the whole app: ask it."""
        if self.is_closed and (self._doubt is None or self._doubt.done()):
            self._doubt = asyncio.create_task(self._resolve_doubt(method, code))

    async def _resolve_doubt(self, method: str, code: str) -> None:
        refused, _ = await self._auth_test()
        if refused:
            self.report(method, code)

    async def require_access(self, *, paid: bool) -> None:
        """Raises `SlackAppBlocked` while it is open; before a paid call, while it is half open as
        well."""
        if paid and self._doubt is not None:
            await asyncio.wait({self._doubt}, timeout=DOUBT_FOR)
        state = await self._load()
        if state is not None and (paid or not state.half_open):
            raise SlackAppBlocked(state.method, state.code)

    def worked(self, method: str) -> None:
        """Slack took a call. Where the breaker is half open because of this method, it closes."""
        state = self._state
        if state is not None and state.half_open and state.method == method:
            self._change(None)
            self._tasks.spawn(self._save())

    async def watch(self) -> None:
        """Look for ever whether Slack accepts the app again."""
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
        if state.uninstalled and self._now() < self._look_not_before:
            return
        self._look_not_before = self._now() + LOOK_AFTER_UNINSTALLED_EVERY
        _, scopes = await self._auth_test()
        if scopes is None or self._state != state:
            return
        if state.uninstalled:
            self._change(None)
            await self._save()
        elif state.may_be_over(scopes):
            log.warning("auth.test is good again: nothing is paid for until what was refused works")
            self._change(state.half_opened())
            await self._save()

    async def _load(self) -> AppBlocked | None:
        """The state that Redis has. While Redis is away, or has no newer one, that of this
        process."""
        if not self._unsaved:
            before = self._state
            try:
                stored = await self._app_blocked_store.load()
            except StoreUnavailable:
                return self._state
            if self._state is before and not self._unsaved and stored != before:
                self._set(stored)
        return self._state

    async def _save(self) -> None:
        state = self._state
        try:
            if state is None:
                await self._app_blocked_store.clear()
            elif (told := await self._uninstalled_meanwhile(state)) is not None:
                state = told
                self._set(told)
            else:
                await self._app_blocked_store.save(state)
        except StoreUnavailable as error:
            log.warning("other processes are not told yet how Slack stands: %s", error)
            return
        self._unsaved = self._state is not state

    async def _uninstalled_meanwhile(self, state: AppBlocked) -> AppBlocked | None:
        """The state that an event has stored; it tells more than the refusals that follow from
        it."""
        stored = None if state.uninstalled else await self._app_blocked_store.load()
        return stored if stored is not None and stored.uninstalled else None

    async def _wait_for_quiet(self, state: AppBlocked) -> None:
        """Close after `QUIET_FOR` without a refusal: perhaps nothing calls the method any more."""
        if self._half_open is None or self._half_open[0] != state:
            self._half_open = (state, self._now())
        elif self._now() - self._half_open[1] >= QUIET_FOR:
            self._change(None)
            await self._save()

    def _change(self, state: AppBlocked | None) -> None:
        """Change the state here; `_save` tells other processes."""
        self._set(state)
        self._unsaved = True

    def _set(self, state: AppBlocked | None) -> None:
        before, self._state = self._state, state
        if state is not None and state.uninstalled:
            self._look_not_before = self._now() + LOOK_AFTER_UNINSTALLED_EVERY
        SLACK_APP_BLOCKED.set(state is not None)
        if state is not None and not state.half_open and not _says_the_same(before, state):
            log.error("%s. Nothing is generated until then", state)
        elif state is None and before is not None:
            log.warning("Slack lets the app in again")


def _says_the_same(before: AppBlocked | None, state: AppBlocked) -> bool:
    if before is None or before.half_open:
        return False
    return before.uninstalled == state.uninstalled
