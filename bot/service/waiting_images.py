"""What a person has waiting, for the refusal by a limit: each gives back what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.domain.errors import StoreUnavailable
from bot.domain.limits import LimitReached
from bot.domain.session import Person, Session
from bot.domain.waiting import images_waiting
from bot.ports import WaitingImages

_FOUND_WITHIN = 0.5
"""Seconds; later, the refusal is told without them."""


@asynccontextmanager
async def waiting_told(sessions: WaitingImages, person: Person, team: str) -> AsyncIterator[None]:
    """Give a `LimitReached` of the body the person's own sessions whose images wait."""
    try:
        yield
    except LimitReached as refused:
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_FOUND_WITHIN):
                refused.waiting = await _waiting(sessions, team, person.key_in(team))
        raise


async def _waiting(sessions: WaitingImages, team: str, owner: str) -> tuple[Session, ...]:
    waiting = await sessions.images_waiting(team, owner)
    loaded = await sessions.load_many(list(waiting))
    own = [s for s in loaded if images_waiting(s)]
    return tuple(sorted(own, key=lambda s: s.latest.queued_at, reverse=True))
