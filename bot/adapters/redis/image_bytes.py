"""`ImageBytes`: the bytes of images and pictures, and how many of them one person's may be.

    imagine:{team}:<name>          string: the bytes, each with a time of its own
    imagine:{team}:images:<user>   sorted set: name → when it may first be removed

A name is `session:<user>.<token>:generated_image:<image>` or `picture:<file>`. The list names what
may be stored; what counts is the length of each string that is there, so that nothing that expired
or was deleted is counted. The oldest go first. One that Slack does not have yet (its score is
infinite), one of a session that is `generating`, and those of the session that writes stay. Without
a bound there is no list.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import images_key

log = logging.getLogger(__name__)

_BOUND = """
local function remove_oldest(list, prefix, spared, most)
  local names, sizes, all, removed = redis.call('ZRANGE', list, 0, -1, 'WITHSCORES'), {}, 0, 0
  for i = 1, #names, 2 do
    sizes[i] = redis.call('STRLEN', prefix .. names[i])
    all = all + sizes[i]
    if sizes[i] == 0 then redis.call('ZREM', list, names[i]) end
  end
  for i = 1, #names, 2 do
    if all <= most or names[i + 1] == 'inf' then break end
    local session = string.match(names[i], '^(session:[^:]+):')
    local stays = session and (session == spared
      or redis.call('HGET', prefix .. session, 'stage') == 'generating')
    if sizes[i] > 0 and not stays then
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
-- ARGV: prefix of the names, the session that writes or '', the most bytes (0: no bound), the
--       name, the bytes, their ttl and that of the list in seconds, now, the ttl of an image that
--       nobody waits for
-- A full server refuses the first write.
local awaited = not KEYS[3] or redis.call('HGET', KEYS[3], 'stage') == 'generating'
redis.call('SET', KEYS[1], ARGV[5], 'EX', awaited and ARGV[6] or ARGV[9])
if tonumber(ARGV[3]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[8], ARGV[4])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[7]) * 1000 then
  redis.call('EXPIRE', KEYS[2], ARGV[7])
end
return remove_oldest(KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3]))
"""
)

_TRIM = (
    _BOUND
    + """
-- KEYS: the owner's list; ARGV: as the first three of the other script
return remove_oldest(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]))
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
        arguments: list[Any] = [prefix, session, self._most, name, data]
        arguments += [ttl, max(ttl, self._list_ttl), repr(time.time()), ttl_unawaited]
        _log(await self._keep(keys=keys, args=arguments))

    async def trim(self, team: str, user: str, session_key: str) -> None:
        """Remove the oldest that are too many, none of them this session's."""
        if not self._most:
            return
        prefix = _prefix(team)
        arguments: list[Any] = [prefix, session_key.removeprefix(prefix), self._most]
        _log(await self._trim(keys=[images_key(team, user)], args=arguments))


def _prefix(team: str) -> str:
    return f"imagine:{{{team}}}:"


def _session_of(name: str) -> str:
    """The name of the session whose image it is; empty for a picture."""
    return name.partition(":generated_image:")[0] if name.startswith("session:") else ""


def _log(removed: int) -> None:
    if removed:
        log.info("a person's oldest images were removed", extra={"images": removed})
