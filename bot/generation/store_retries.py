"""Does again what the store does not take, until it does."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from bot.domain.attempt import ImageRef
from bot.domain.errors import Conflict, QueueUnavailable, StoreTrouble, StoreUnavailable
from bot.domain.session import Session
from bot.ports import Change, SessionStore

log = logging.getLogger(__name__)

T = TypeVar("T")

Told = Callable[[str, StoreTrouble | None], None]
"""Hears which session waits for the store, and why; None once it waits no more."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 2.0
"""Seconds, of which each pause takes a half at the least."""


class StoreRetries:
    """Does a call again until the store takes it. Only a cancellation ends that."""

    def __init__(self, told: Told) -> None:
        self._told = told

    async def until_taken(self, session_id: str, call: Callable[[], Awaitable[T]]) -> T:
        pause, waits = FIRST_PAUSE, False
        try:
            while True:
                try:
                    return await call()
                except Conflict:
                    log.warning("others were faster again and again, trying on")
                except (StoreUnavailable, QueueUnavailable) as error:
                    if not waits:
                        log.warning("the store does not take it, holding on: %s", error)
                    waits = True
                    self._told(session_id, error.trouble)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            if waits:
                self._told(session_id, None)


class _RetryingStore:
    """A `SessionStore` whose changes of sessions and images are taken in the end. All else goes
    straight to the store."""

    def __init__(self, sessions: SessionStore, store_retries: StoreRetries) -> None:
        self._sessions = sessions
        self._retry = store_retries.until_taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sessions, name)

    async def update(self, session_id: str, change: Change) -> Session:
        """`change` may be taken twice: where the answer of the first time was lost."""
        return await self._retry(session_id, lambda: self._sessions.update(session_id, change))

    async def keep_image(self, session_id: str, image: ImageRef, encoded: str) -> None:
        await self._retry(session_id, lambda: self._sessions.keep_image(session_id, image, encoded))


def retrying_store(sessions: SessionStore, store_retries: StoreRetries) -> SessionStore:
    """The same store, for whoever has something in hand that must not be lost."""
    return cast("SessionStore", _RetryingStore(sessions, store_retries))
