"""`RedisPace`: Slack's rate limits, kept by all processes together.

A budget is a rate and the tickets of the calls that wait for it. The rate is a GCRA: one number,
the moment at which the budget is used up no more (`tat`, the theoretical arrival time). A call
takes a ticket in its class and asks when it is due: the calls before it, times the interval. It
sleeps until then, or half of a long time, and asks again, because a higher class may have come
between or those before it may have gone. Only a call that is due is made: nobody tries meanwhile.

    imagine:{team}:pace:<budget>           string: tat, in milliseconds since the epoch
    imagine:{team}:pace:<budget>:tickets   sorted set: ticket → class and time of asking
    imagine:{team}:pace:<budget>:missed    sorted set: ticket → when it counts as given up
    imagine:{team}:pace:<budget>:expected  sorted set: a call that comes soon → time of asking

A ticket that does not come back when it said so is dropped: its process died, or its call was
cancelled. One that comes later keeps its place. All times are the server's. While Redis is away,
each process paces itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from redis.asyncio import Redis

from bot.adapters.redis.schema import pace_key
from bot.adapters.redis_connections import bounded
from bot.domain.errors import SlackBusy, StoreUnavailable
from bot.ports import Budget, Priority, Turn

log = logging.getLogger(__name__)

_WITHOUT_END = 3_600.0
_AWAY_FOR = 2.0
"""Seconds for which Redis is not asked again after it has failed."""

_SCRIPT = """
-- KEYS: tat, tickets, missed, expected
-- ARGV: ticket ('' only looks), class, when it first asked ('' for a new one), interval (ms),
--       burst, longest wait (ms), name of an expected call ('' for none)
-- Answers whether the call may be made, its wait in ms, the calls before it, when it first asked,
-- and in how many ms it has to ask again: half of a long wait, because those before it may give up.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local GRACE, KEPT, CLASS, EXACT_BELOW, LONGEST_NAP = 500, 60000, 2 ^ 43, 2000, 15000
local EXPECTED_FOR, expected = 30000, ARGV[7]
local gone = redis.call('ZRANGE', KEYS[3], '-inf', now - GRACE, 'BYSCORE')
for _, ticket in ipairs(gone) do
  redis.call('ZREM', KEYS[2], ticket)
  redis.call('ZREM', KEYS[3], ticket)
end
local ticket, class = ARGV[1], tonumber(ARGV[2])
local asked = ARGV[3] == '' and now or tonumber(ARGV[3])
if expected ~= '' and ticket ~= '' then
  asked = tonumber(redis.call('ZSCORE', KEYS[4], expected)) or asked
  redis.call('ZREM', KEYS[4], expected)
end
local interval, burst = tonumber(ARGV[4]), tonumber(ARGV[5])
local tat = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local ahead
if ticket == '' then
  ahead = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. (class + 1) * CLASS)
  if expected ~= '' then
    redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - EXPECTED_FOR)
    redis.call('ZREM', KEYS[4], expected)
    ahead = ahead + redis.call('ZCARD', KEYS[4])
    redis.call('ZADD', KEYS[4], now, expected)
    redis.call('PEXPIRE', KEYS[4], EXPECTED_FOR)
  end
else
  redis.call('ZADD', KEYS[2], class * CLASS + asked, ticket)
  ahead = redis.call('ZRANK', KEYS[2], ticket)
end
local wait = math.max(0, math.ceil(tat + (ahead - burst + 1) * interval - now))
local nap = wait < EXACT_BELOW and wait or math.min(wait / 2, LONGEST_NAP)
if ticket == '' then return {0, wait, ahead, asked, nap} end
if wait == 0 or wait > tonumber(ARGV[6]) then
  redis.call('ZREM', KEYS[2], ticket)
  redis.call('ZREM', KEYS[3], ticket)
  if wait > 0 then return {0, wait, ahead, asked, nap} end
  redis.call('SET', KEYS[1], tat + interval, 'PX', math.ceil(tat + interval - now) + KEPT)
  return {1, 0, ahead, asked, 0}
end
redis.call('ZADD', KEYS[3], now + nap, ticket)
redis.call('PEXPIRE', KEYS[2], wait + KEPT)
redis.call('PEXPIRE', KEYS[3], wait + KEPT)
return {0, wait, ahead, asked, nap}
"""

_HOLD = """
-- KEYS: tat; ARGV: pause, interval (ms), burst
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local tat = now + ARGV[1] + (ARGV[3] - 1) * ARGV[2]
if tat > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], tat, 'PX', math.ceil(tat - now) + 60000)
end
return 0
"""


class _Answer(NamedTuple):
    granted: bool
    seconds: float
    """Until the call is due."""
    ahead: int
    asked: str
    """When it asked first, by which it keeps its place."""
    nap: float
    """Seconds after which it has to ask again."""


class RedisPace:
    """Implements `bot.ports.Pace` for one workspace. `patience` bounds each call of Redis, in
    seconds."""

    def __init__(self, redis: Redis, team: str, patience: float) -> None:
        self._team = team
        self._patience = patience
        self._script: Any = redis.register_script(_SCRIPT)
        self._hold: Any = redis.register_script(_HOLD)
        self._own = OwnPace()
        self._away_until = 0.0

    async def take(
        self,
        budget: Budget,
        priority: Priority,
        patience: float | None = None,
        *,
        expected: str = "",
    ) -> None:
        ticket, asked = uuid4().hex, ""
        until = time.monotonic() + (_WITHOUT_END if patience is None else patience)
        while True:
            left = max(0.0, until - time.monotonic())
            try:
                turn = await self._ask(budget, ticket, priority, asked, left, expected)
            except StoreUnavailable:
                if await self._own.took_within(budget, left, _AWAY_FOR):
                    return
                continue
            if turn.granted:
                self._own.taken(budget)
                return
            if turn.seconds > left:
                raise SlackBusy(turn.seconds)
            asked, expected = turn.asked, ""
            await asyncio.sleep(turn.nap)

    async def hold(self, budget: Budget, seconds: float) -> None:
        await self._own.hold(budget, seconds)
        args = [round(seconds * 1000), _interval(budget), budget.burst]
        try:
            async with bounded(self._patience):
                await self._hold(keys=[pace_key(self._team, budget.name)], args=args)
        except StoreUnavailable as error:
            log.info("other processes do not know that Slack is busy: %s", error)

    async def wait(self, budget: Budget, priority: Priority, *, expected: str = "") -> Turn:
        try:
            turn = await self._ask(budget, "", priority, "", 0.0, expected)
        except StoreUnavailable:
            return await self._own.wait(budget, priority)
        return Turn(turn.ahead, turn.seconds)

    async def _ask(
        self,
        budget: Budget,
        ticket: str,
        priority: Priority,
        asked: str,
        longest: float,
        expected: str,
    ) -> _Answer:
        key = pace_key(self._team, budget.name)
        keys = [key, f"{key}:tickets", f"{key}:missed", f"{key}:expected"]
        rate = _interval(budget), budget.burst
        args = [ticket, int(priority), asked, *rate, int(longest * 1000), expected]
        if (now := time.monotonic()) < self._away_until:
            raise StoreUnavailable("it was away just now")
        if self._away_until:  # one call asks whether it is back
            self._away_until = now + _AWAY_FOR
        try:
            async with bounded(self._patience):
                granted, wait, ahead, first, nap = await self._script(keys=keys, args=args)
        except StoreUnavailable:
            self._away_until = time.monotonic() + _AWAY_FOR
            raise
        self._away_until = 0.0
        return _Answer(bool(granted), wait / 1000, ahead, str(first), nap / 1000)


class OwnPace:
    """The budgets of one process, without classes: first come, first served. Implements
    `bot.ports.Pace`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used_up_until: dict[str, float] = {}

    async def take(
        self,
        budget: Budget,
        priority: Priority,
        patience: float | None = None,
        *,
        expected: str = "",
    ) -> None:
        wait = self._wait(budget)
        if patience is not None and wait > patience:
            raise SlackBusy(wait)
        self.taken(budget)
        await asyncio.sleep(wait)

    async def took_within(self, budget: Budget, patience: float, at_most: float) -> bool:
        """Take a turn that comes within `at_most` seconds; else sleep so long. Raises `SlackBusy`
        like `take`."""
        wait = self._wait(budget)
        if wait > patience:
            raise SlackBusy(wait)
        if wait:
            await asyncio.sleep(min(wait, at_most))
        if took := not self._wait(budget):
            self.taken(budget)
        return took

    def taken(self, budget: Budget) -> None:
        """One more call is made, whoever allowed it."""
        now = self._clock()
        for name, until in list(self._used_up_until.items()):
            if until < now:
                del self._used_up_until[name]
        start = max(now, self._used_up_until.get(budget.name, now))
        self._used_up_until[budget.name] = start + 1 / budget.per_second

    async def hold(self, budget: Budget, seconds: float) -> None:
        until = self._clock() + seconds + (budget.burst - 1) / budget.per_second
        self._used_up_until[budget.name] = max(until, self._used_up_until.get(budget.name, 0.0))

    async def wait(self, budget: Budget, priority: Priority, *, expected: str = "") -> Turn:
        wait = self._wait(budget)
        return Turn(int(wait * budget.per_second), wait)

    def _wait(self, budget: Budget) -> float:
        now = self._clock()
        until = max(now, self._used_up_until.get(budget.name, now))
        return max(0.0, until - (budget.burst - 1) / budget.per_second - now)


def _interval(budget: Budget) -> float:
    return 1000 / budget.per_second
