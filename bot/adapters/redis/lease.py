"""`Lease`: one of several processes holds something for a time, and renews its hold."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

_TAKE = """
-- KEYS: the lease; ARGV: who wants it, ms. Answers who has it.
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif not holder then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return holder or ARGV[1]
"""

_RELEASE = """
-- KEYS: the lease; ARGV: who gives it back
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
"""


class Lease:
    """A string in Redis that tells who has the lease until it ends. The caller bounds each call."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._key = key
        self._take: Any = redis.register_script(_TAKE)
        self._release: Any = redis.register_script(_RELEASE)

    async def take(self, owner: str, seconds: float) -> str:
        """Take the lease where nobody has it, renew it where `owner` does. Answers who has it."""
        return str(await self._take(keys=[self._key], args=[owner, round(seconds * 1000)]))

    async def release(self, owner: str) -> None:
        """Give it back, where `owner` has it."""
        await self._release(keys=[self._key], args=[owner])
