"""The scripts of `RedisRateLimiter`: a budget and the calls that wait for it, in Redis.

A budget is a rate and the tickets of the calls that wait for it. The rate is a GCRA: one number,
the moment at which the budget is used up no more (`tat`, the theoretical arrival time). A ticket is
due once those before it are through: their number times the interval.

    imagine:{team}:pace:<budget>           string: tat, in milliseconds since the epoch
    imagine:{team}:pace:<budget>:tickets   sorted set: <process>:<ticket> → class and place
    imagine:{team}:pace:<budget>:missed    sorted set: process → when its tickets count as given up
    imagine:{team}:pace:<budget>:expected  sorted set: a call that comes soon → place
    imagine:{team}:pace:<budget>:owners    sorted set: owner → place of the owner's last call

A place is the time of asking. Of the calls that wait and have one owner, each has its place
`SPACED_BY` calls after the one before, so that a person who asks for many lets others pass between
them. What went while nobody else waited is not held against the owner: once the last of the owner's
calls that wait is made, the next has its place so much after that.

One ticket of a process asks for all of them. A process that does not ask when it said so is taken
for dead, and its tickets are dropped; where it does come back, it hands them in again in their old
places. All times are the server's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bot.adapters.redis.command_batches import CommandBatches
from bot.adapters.redis.schema import pace_key
from bot.adapters.redis_errors import bounded
from bot.ports import Budget, Priority

LONGEST_NAP = 2.5
"""Seconds between two questions of a process whose calls wait. Those before them may give up."""
MISSED_AFTER = 0.5
"""Seconds by which a process may be late."""
SPACED_BY = 10
"""Calls of others that may go between two of one owner's."""

_NUMBERS = f"""
local LONGEST_NAP, GRACE = {round(LONGEST_NAP * 1000)}, {round(MISSED_AFTER * 1000)}
local SPACED_BY = {SPACED_BY}
local KEPT, EXPECTED_FOR, CLASS, EXACT_BELOW = 60000, 30000, 2 ^ 43, 2000
"""

_ASK = (
    _NUMBERS
    + """
-- KEYS: tat, tickets, missed, expected, owners
-- ARGV: process, ticket ('' only looks), class, its score ('' for a new one), interval (ms), burst,
--       longest wait (ms), name of an expected call ('' for none), its owner ('' for none),
--       the process's next ticket ('' for none), how many tickets are given up, these,
--       then tickets that are handed in again, each with its score
-- Answers whether the call may be made, its wait in ms, the calls before it, its score, in how many
-- ms the process has to ask again, and whether its tickets were known.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local asked_at = time[1] * 1000 + math.floor(time[2] / 10) / 100  -- calls of one millisecond differ
local tat_key, tickets, missed, expected_key, owners = unpack(KEYS)
local process, ticket, class, score = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local interval, burst, longest = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local SPACING = SPACED_BY * interval
local expected, owner, following, given_up = ARGV[8], ARGV[9], ARGV[10], tonumber(ARGV[11])

for _, dead in ipairs(redis.call('ZRANGE', missed, '-inf', now - GRACE, 'BYSCORE')) do
  for _, each in ipairs(redis.call('ZRANGE', tickets, 0, -1)) do
    if each:sub(1, #dead + 1) == dead .. ':' then redis.call('ZREM', tickets, each) end
  end
  redis.call('ZREM', missed, dead)
end
for i = 12, 11 + given_up do redis.call('ZREM', tickets, ARGV[i]) end
for i = 12 + given_up, #ARGV, 2 do redis.call('ZADD', tickets, ARGV[i + 1], ARGV[i]) end

local function keep_for(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
local function exact(number) return string.format('%.2f', number) end
local function new_place()
  if owner == '' then return asked_at end
  local last = tonumber(redis.call('ZSCORE', owners, owner) or 0)
  local place = math.max(asked_at, last > 0 and last + SPACING or 0)
  redis.call('ZREMRANGEBYSCORE', owners, '-inf', now - SPACING)
  redis.call('ZADD', owners, exact(place), owner)
  keep_for(owners, math.ceil(place - now + SPACING))
  return place
end
local function went(place)
  local last = owner ~= '' and tonumber(redis.call('ZSCORE', owners, owner) or 0)
  if last and last > now and last < place + 0.1 then
    redis.call('ZADD', owners, exact(now), owner)
  end
end
local tat = math.max(now, tonumber(redis.call('GET', tat_key) or 0))
local function wait_of(ahead)
  return math.max(0, math.ceil(tat + (ahead - burst + 1) * interval - now))
end
local function nap_of(wait)
  return wait < EXACT_BELOW and wait or math.min(wait / 2, LONGEST_NAP)
end
local function answer(granted, wait, ahead, nap, known)
  return {granted, wait, ahead, exact(score), math.ceil(nap), known}
end

if ticket == '' then
  local place, ahead = asked_at, 0
  if expected ~= '' then
    redis.call('ZREMRANGEBYSCORE', expected_key, '-inf', now - EXPECTED_FOR)
    place = tonumber(redis.call('ZSCORE', expected_key, expected)) or new_place()
    redis.call('ZADD', expected_key, exact(place), expected)
    keep_for(expected_key, math.ceil(place - now + EXPECTED_FOR))
    ahead = redis.call('ZCOUNT', expected_key, '-inf', '(' .. exact(place))
  end
  score = class * CLASS + place
  ahead = ahead + redis.call('ZCOUNT', tickets, '-inf', '(' .. exact(score))
  return answer(0, wait_of(ahead), ahead, 0, 1)
end

local is_new = not score
if is_new then
  local place = expected ~= '' and tonumber(redis.call('ZSCORE', expected_key, expected))
  if place then redis.call('ZREM', expected_key, expected) end
  score = class * CLASS + (place or new_place())
end
local name = process .. ':' .. ticket
local missed_at = tonumber(redis.call('ZSCORE', missed, process))
local known = missed_at and 1 or 0
redis.call('ZADD', tickets, exact(score), name)
local ahead = redis.call('ZRANK', tickets, name)
local wait = wait_of(ahead)
if wait > longest then
  redis.call('ZREM', tickets, name)
  return answer(0, wait, ahead, 0, known)
end
local nap = nap_of(wait)
if wait == 0 then
  redis.call('ZREM', tickets, name)
  went(score - class * CLASS)
  tat = tat + interval
  redis.call('SET', tat_key, tat, 'PX', math.ceil(tat - now) + KEPT)
  local rank = following ~= '' and redis.call('ZRANK', tickets, process .. ':' .. following)
  if not rank then
    if following == '' then redis.call('ZREM', missed, process) end
    return answer(1, 0, ahead, 0, known)
  end
  nap = nap_of(wait_of(rank))
end
missed_at = is_new and missed_at and math.min(missed_at, now + nap) or now + nap
redis.call('ZADD', missed, missed_at, process)
redis.call('PEXPIRE', tickets, LONGEST_NAP + GRACE)
redis.call('PEXPIRE', missed, LONGEST_NAP + GRACE)
return answer(wait == 0 and 1 or 0, wait, ahead, nap, known)
"""
)

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


class Answer(NamedTuple):
    granted: bool
    seconds: float
    """Until the call is due."""
    ahead: int
    score: float
    """Its class and place."""
    nap: float
    """Seconds after which the process has to ask again."""
    known: bool
    """Whether the process had tickets here, or has none."""


class Question(NamedTuple):
    """May the call of this ticket be made? Without a ticket: what would it wait for? A call without
    a `score` is new. `expected` and `owner` are those of a session's first message, the owner
    with each question of its call."""

    budget: Budget
    priority: Priority
    ticket: str = ""
    score: float | None = None
    longest: float = 0.0
    expected: str = ""
    owner: str = ""
    following: str = ""
    given_up: Sequence[str] = ()
    again: Sequence[tuple[str, float]] = ()


class PaceScripts:
    """The scripts for one process and one workspace. `patience` bounds each call, in seconds. Each
    raises `StoreUnavailable`."""

    def __init__(self, redis: Redis, team: str, process: str, patience: float) -> None:
        self._patience = patience
        self._batches = CommandBatches(redis, patience)
        self._team = team
        self._process = process
        self._ask: Any = redis.register_script(_ASK)
        self._hold: Any = redis.register_script(_HOLD)

    async def ask(self, question: Question) -> Answer:
        budget, of = question.budget, self._process
        key = pace_key(self._team, budget.name)
        keys = [key, *(f"{key}:{part}" for part in ("tickets", "missed", "expected", "owners"))]
        score = "" if question.score is None else question.score
        again = [part for ticket, at in question.again for part in (f"{of}:{ticket}", at)]
        args = [of, question.ticket, int(question.priority), score, interval(budget), budget.burst]
        args += [int(question.longest * 1000), question.expected, question.owner]
        args += [question.following, len(question.given_up)]
        args += [*(f"{of}:{ticket}" for ticket in question.given_up), *again]
        granted, wait, ahead, at, nap, known = await self._run(question, keys, args)
        return Answer(bool(granted), wait / 1000, ahead, float(at), nap / 1000, bool(known))

    async def _run(self, question: Question, keys: list[str], args: list[Any]) -> list[Any]:
        """A question without a ticket changes nothing that its caller would have to take back."""
        if not question.ticket:
            answer: list[Any] = await self._batches.run_script(self._ask, keys, args)
            return answer
        async with bounded(self._patience):
            taken: list[Any] = await self._ask(keys=keys, args=args)
        return taken

    async def hold(self, budget: Budget, seconds: float) -> None:
        args = [round(seconds * 1000), interval(budget), budget.burst]
        async with bounded(self._patience):
            await self._hold(keys=[pace_key(self._team, budget.name)], args=args)


def interval(budget: Budget) -> float:
    """Milliseconds between two calls."""
    return 1000 / budget.per_second
