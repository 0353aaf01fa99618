"""`RedisServerClaim`: the bot of one installation uses a database of Redis at a time.

    imagine:installation   string: whose bot uses it, while one of its processes lives

The queue, the sweeps and the provider's slots are one for all sessions of a database. Two bots that
share one would each take the other's jobs, and could do nothing with them in their own Slack.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from redis.asyncio import Redis

from bot.adapters.redis.lease import Lease
from bot.adapters.redis.schema import INSTALLATION
from bot.adapters.redis_errors import bounded
from bot.domain.errors import StoreUnavailable

log = logging.getLogger(__name__)

CLAIMED_FOR = 10.0
"""Seconds for which the last process that was killed keeps others away."""
RENEW_EVERY = 3.0
"""Seconds."""


class RedisServerClaim:
    """The claim of one installation. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, installation: str, patience: float) -> None:
        self._installation = installation
        self._patience = patience
        self._lease = Lease(redis, INSTALLATION)

    async def other(self) -> str:
        """Claim the database, or keep the claim. Answers the other installation whose it is, and
        nothing where it is this one's. Raises `StoreUnavailable`."""
        async with bounded(self._patience):
            holder = await self._lease.take(self._installation, CLAIMED_FOR)
        return "" if holder == self._installation else holder

    async def renew(self) -> None:
        if other := await self.other():
            log.error("the bot of %s uses this Redis too: each needs one of its own", other)

    async def release(self) -> None:
        """Give the database free. Other processes of the installation claim it again with their
        next renewal. Where Redis is away, the claim ends by itself."""
        with suppress(StoreUnavailable):
            async with bounded(self._patience):
                await self._lease.release(self._installation)
