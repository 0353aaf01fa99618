"""`ImageBytes`: the bytes of images and pictures, and how many of them one person's may be.

    imagine:{team}:<name>          string: the bytes, each with a time of its own
    imagine:{team}:images:<user>   sorted set: name → when it may first be removed

A name is `session:<user>.<token>:generated_image:<image>` or `picture:<file>`. The list names what
may be stored; what counts is the length of each string that is there, so that nothing that expired
or was deleted is counted. The oldest go first, and none that Slack does not have yet: its score is
infinite, from when it is stored for a session that is `generating`. Without a bound there is no
list.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import images_key

log = logging.getLogger(__name__)

_BOUND = """
local function remove_oldest(list, prefix, most)
  local names, sizes, all, removed = redis.call('ZRANGE', list, 0, -1, 'WITHSCORES'), {}, 0, 0
  for i = 1, #names, 2 do
    sizes[i] = redis.call('STRLEN', prefix .. names[i])
    all = all + sizes[i]
    if sizes[i] == 0 then redis.call('ZREM', list, names[i]) end
  end
  for i = 1, #names, 2 do
    if all <= most or names[i + 1] == 'inf' then break end
    if sizes[i] > 0 then
      redis.call('UNLINK', prefix .. names[i])
      redis.call('ZREM', list, names[i])
      all, removed = all - sizes[i], removed + 1
    end
  end
  return removed
end
"""

_KEEP = (
    _BOUND
    + """
-- KEYS: the bytes, their owner's list, the session of an image
-- ARGV: prefix of the names, the most bytes (0: no bound), the name, the bytes, their ttl and that
--       of the list in seconds, now, the ttl of an image that nobody waits for
-- A full server refuses the first write.
local awaited = KEYS[3] and redis.call('HGET', KEYS[3], 'stage') == 'generating'
redis.call('SET', KEYS[1], ARGV[4], 'EX', (awaited or not KEYS[3]) and ARGV[5] or ARGV[8])
if tonumber(ARGV[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], awaited and 'inf' or ARGV[7], ARGV[3])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[6]) * 1000 then
  redis.call('EXPIRE', KEYS[2], ARGV[6])
end
return remove_oldest(KEYS[2], ARGV[1], tonumber(ARGV[2]))
"""
)

_TRIM = (
    _BOUND
    + """
-- KEYS: the owner's list; ARGV: as the first two of the other script
return remove_oldest(KEYS[1], ARGV[1], tonumber(ARGV[2]))
"""
)


class ImageBytes:
    """`most` is the bytes that one person's images and pictures may be, as they are stored; 0 sets
    no bound. `list_ttl` is the longest time of any of them, in seconds. The callers bound each call
    in time."""

    def __init__(self, redis: Redis, *, most: int, list_ttl: int) -> None:
        self._most = most
        self._list_ttl = list_ttl
        self._keep = redis.register_script(_KEEP)
        self._trim = redis.register_script(_TRIM)

    async def keep(
        self, team: str, user: str, key: str, data: str, ttl: int, ttl_unawaited: int = 0
    ) -> None:
        """Store it under the key for `ttl` seconds, then remove the oldest of the person's that are
        too many. An image of a session that is not `generating` stays for `ttl_unawaited`."""
        prefix = _prefix(team)
        name = key.removeprefix(prefix)
        session = _session_of(name)
        keys = [key, images_key(team, user), *([prefix + session] if session else [])]
        arguments: list[Any] = [prefix, self._most, name, data]
        arguments += [ttl, max(ttl, self._list_ttl), repr(time.time()), ttl_unawaited]
        _log(await self._keep(keys=keys, args=arguments))

    async def trim(self, team: str, user: str) -> None:
        """Remove the oldest that are too many."""
        if self._most:
            args: list[Any] = [_prefix(team), self._most]
            _log(await self._trim(keys=[images_key(team, user)], args=args))


def _prefix(team: str) -> str:
    return f"imagine:{{{team}}}:"


def _session_of(name: str) -> str:
    """The name of the session whose image it is; empty for a picture."""
    return name.partition(":generated_image:")[0] if name.startswith("session:") else ""


def _log(removed: int) -> None:
    if removed:
        log.info("a person's oldest images were removed", extra={"images": removed})
