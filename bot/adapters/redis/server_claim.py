"""`RedisServerClaim`: the bot of one installation uses a database of Redis at a time.

    imagine:installation   string: whose bot uses it, while one of its processes lives

The queue, the sweeps and the provider's slots are one for all sessions of a database. Two bots that
share one would each take the other's jobs, and could do nothing with them in their own Slack.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import INSTALLATION
from bot.adapters.redis_errors import bounded
from bot.domain.errors import StoreUnavailable

log = logging.getLogger(__name__)

CLAIMED_FOR = 10.0
"""Seconds for which the last process that was killed keeps others away."""
RENEW_EVERY = 3.0
"""Seconds."""

_CLAIM = """
-- KEYS: the claim; ARGV: the installation, ms. Answers whose the database is.
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return holder or ARGV[1]
"""

_RELEASE = """
-- KEYS: the claim; ARGV: the installation
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
"""


class RedisServerClaim:
    """The claim of one installation. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, installation: str, patience: float) -> None:
        self._installation = installation
        self._patience = patience
        self._claim: Any = redis.register_script(_CLAIM)
        self._release: Any = redis.register_script(_RELEASE)

    async def other(self) -> str:
        """Claim the database, or keep the claim. Answers the other installation whose it is, and
        nothing where it is this one's. Raises `StoreUnavailable`."""
        args = [self._installation, round(CLAIMED_FOR * 1000)]
        async with bounded(self._patience):
            holder = str(await self._claim(keys=[INSTALLATION], args=args))
        return "" if holder == self._installation else holder

    async def renew(self) -> None:
        if other := await self.other():
            log.error("the bot of %s uses this Redis too: each needs one of its own", other)

    async def release(self) -> None:
        """Give the database free. Other processes of the installation claim it again with their
        next renewal. Where Redis is away, the claim ends by itself."""
        with suppress(StoreUnavailable):
            async with bounded(self._patience):
                await self._release(keys=[INSTALLATION], args=[self._installation])
