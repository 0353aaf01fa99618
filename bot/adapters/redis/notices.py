"""`RedisNotices`: which notices about limits were told, and which are still to be told.

    imagine:{team}:told:<period>    set: what was told
    imagine:{team}:notices          hash: a period and what is to be told in it → for which attempt,
                                    and until when somebody tells it, as JSON

A notice stays in the hash until it was told, so that no process that ends meanwhile loses it.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import WORKSPACES, notices_key, told_key
from bot.adapters.redis_errors import bounded
from bot.domain.limits import Quota
from bot.ports import BudgetNotice

log = logging.getLogger(__name__)

_TTL = 70 * 24 * 3600
"""Seconds after the last change of a period's notices."""
CLAIMED_FOR = 120
"""Seconds that a process has to tell a notice, before another one tries."""

_CLAIM = """
-- KEYS: what was told, what is to be told
-- ARGV: what, its field, the attempt as JSON, seconds to tell it, ttl
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
  redis.call('HDEL', KEYS[2], ARGV[2])
  return 0
end
local now = tonumber(redis.call('TIME')[1])
local is_read, kept = pcall(cjson.decode, redis.call('HGET', KEYS[2], ARGV[2]) or 'null')
local until_ = is_read and type(kept) == 'table' and tonumber(kept['until']) or 0
if now < until_ and until_ <= now + ARGV[4] then return 0 end
local claimed = cjson.decode(ARGV[3])
claimed['until'] = now + ARGV[4]
redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(claimed))
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 1
"""


class RedisNotices:
    """Implements `bot.ports.NoticeLog`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._claim = redis.register_script(_CLAIM)

    async def claim(self, notice: BudgetNotice) -> bool:
        attempt = json.dumps({"session": notice.session_id, "attempt": notice.attempt})
        async with bounded(self._patience):
            claimed = await self._claim(
                keys=[told_key(notice.team, notice.period), notices_key(notice.team)],
                args=[_what(notice), _field(notice), attempt, CLAIMED_FOR, _TTL],
            )
        return bool(claimed)

    async def told(self, notice: BudgetNotice) -> None:
        key = told_key(notice.team, notice.period)
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.sadd(key, _what(notice))
            pipeline.expire(key, _TTL)
            pipeline.hdel(notices_key(notice.team), _field(notice))
            await pipeline.execute()

    async def drop(self, notice: BudgetNotice) -> None:
        async with bounded(self._patience):
            await self._redis.hdel(notices_key(notice.team), _field(notice))

    async def untold(self) -> list[BudgetNotice]:
        """The notices that no process tells now. One that cannot be read is left out."""
        async with bounded(self._patience):
            teams = [str(team) for team in await self._redis.zrange(WORKSPACES, 0, -1)]
            pipeline = self._redis.pipeline(transaction=False)
            for team in teams:
                pipeline.hgetall(notices_key(team))
            found = await pipeline.execute(raise_on_error=False)
        notices = []
        for team, stored in zip(teams, found, strict=True):
            if isinstance(stored, Exception):
                log.error("the notices of %s cannot be read: %s", team, stored)
                continue
            read = (_notice(team, field, text) for field, text in stored.items())
            notices += [each for each in read if each]
        return notices


def _what(notice: BudgetNotice) -> str:
    return f"{notice.quota}:{notice.whom}"


def _field(notice: BudgetNotice) -> str:
    return f"{notice.period} {_what(notice)}"


def _notice(team: str, field: str, text: str) -> BudgetNotice | None:
    """None where a process tells it now, or where it cannot be read."""
    period, _, what = field.partition(" ")
    quota, _, whom = what.partition(":")
    try:
        kept = json.loads(text)
        of = str(kept["session"]), int(kept["attempt"])
        notice = BudgetNotice(team, period, Quota(quota), whom, *of)
        is_claimed = 0 < float(kept["until"]) - time.time() <= CLAIMED_FOR
    except (ValueError, TypeError, KeyError, RecursionError):
        log.error("a notice of %s cannot be read: %s", team, field)
        return None
    return None if is_claimed else notice
