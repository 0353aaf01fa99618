"""Takes back a session whose first write has no answer: the person was told that it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.domain.errors import StoreUnavailable
from bot.telemetry.context import log_context

log = logging.getLogger(__name__)

TRIED_FOR, PAUSE = 300.0, 0.5
"""Seconds."""


async def take_back(session_id: str, discard: Callable[[], Awaitable[None]]) -> None:
    """Discard the session. Where the store does not take that in time, the session is there whole,
    and goes on."""
    why = ""
    with log_context(session_id):
        try:
            async with asyncio.timeout(TRIED_FOR):
                while True:
                    try:
                        return await discard()
                    except StoreUnavailable as error:
                        if str(error) != why:
                            log.warning("a session is not taken back yet: %s", error)
                        why = str(error)
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            log.error("a session is not taken back, and goes on: %s", why or "no answer")
