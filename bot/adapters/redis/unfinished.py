"""`UnfinishedLists`: the sessions of each workspace that are owed a job, since when."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import WORKSPACES, unfinished_key
from bot.adapters.redis_errors import bounded
from bot.domain.session_ids import SessionId
from bot.ports import Unfinished

log = logging.getLogger(__name__)

_REMOVE_IF_UNTOUCHED = """
-- KEYS: the list of the unfinished; ARGV: session id, the score that was read
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
"""


class UnfinishedLists:
    """`patience` bounds each call, in seconds. A commit writes the lists."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._remove_if_untouched = redis.register_script(_REMOVE_IF_UNTOUCHED)

    async def read(self, quiet_for: float, teams: Iterable[str]) -> list[Unfinished]:
        """The sessions that have not changed for `quiet_for` seconds, by the server's clock, of
        `teams` and of all workspaces that the server lists. A list that cannot be read is left
        out, and hides no other."""
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.time()
            pipeline.zrange(WORKSPACES, 0, -1)
            (seconds, micros), listed = await pipeline.execute()
            quiet_since = f"{seconds + micros / 1e6 - quiet_for:.6f}"
            until = quiet_since if quiet_for else "+inf"  # also what changes in this moment
            keys = [unfinished_key(team) for team in sorted({*listed, *teams})]
            for key in keys:
                pipeline.zrange(key, "-inf", until, byscore=True, withscores=True)
            found = await pipeline.execute(raise_on_error=False)
        unfinished: list[Unfinished] = []
        for key, entries in zip(keys, found, strict=True):
            if isinstance(entries, Exception):
                log.error("%s cannot be read: %s", key, entries)
            else:
                unfinished += [Unfinished(id_, touched) for id_, touched in entries]
        return unfinished

    async def remove(self, entry: Unfinished) -> None:
        """Remove the entry where it has not changed since it was read."""
        key = unfinished_key(SessionId.parse(entry.session_id).team)
        async with bounded(self._patience):
            await self._remove_if_untouched(
                keys=[key], args=[entry.session_id, repr(entry.touched)]
            )
