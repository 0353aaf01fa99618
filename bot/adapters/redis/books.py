"""The books of a workspace in Redis: what a commit writes into them, and what reads them.

    imagine:{team}:holds             hash: the id of a call → its hold, as JSON
    imagine:{team}:ledger            stream: one line for each paid call
    imagine:{team}:spent:<month>     hash: person, channel, workspace → micro-dollars
    imagine:{team}:asked:<day>       hash: person → images
    imagine:{team}:told:<period>     set: what people were told in advance of a limit

The commit script writes them with the session. Counters are holds and lines together.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import (
    WORKSPACES,
    asked_key,
    holds_key,
    ledger_key,
    spent_key,
    told_key,
)
from bot.adapters.redis_connections import bounded
from bot.domain.attempt import ImageRef
from bot.domain.books import WORKSPACE, Changes, Count, Entry, spending_fields, user_field
from bot.domain.costs import CallState
from bot.ports import Hold, LedgerLine, Spent

PERIOD_TTL = 70 * 24 * 3600
"""Seconds for which a counter stays after its last change: its month, and time to settle."""
_PAGE = 1000

SETTLE = """
-- Settle the hold of a session that is gone.
-- KEYS: holds, ledger, spent, images
-- ARGV: id, the hold as it was read, its line as JSON ('' = give back), micro-dollars and images
--       to add (a -0 that Lua makes is no number for Redis 7.0), person, ledger ttl s, oldest id of
--       the ledger, fields of spent...
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' then
  redis.call('XADD', KEYS[2], 'MINID', '~', ARGV[8], '*', 'line', ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[7])
else
  if redis.call('EXISTS', KEYS[3]) == 1 then  -- a counter that has expired stays so
    for i = 9, #ARGV do redis.call('HINCRBY', KEYS[3], ARGV[i], ARGV[4]) end
  end
  if redis.call('EXISTS', KEYS[4]) == 1 then
    redis.call('HINCRBY', KEYS[4], ARGV[6], ARGV[5])
  end
end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
"""


def book_writes(
    team: str, changes: Changes, now: float, ledger_ttl: int
) -> Iterator[tuple[str, list[str]]]:
    """The writes of a commit into the books: a key, and a command with its arguments. `now` is in
    seconds since the epoch."""
    holds, ledger = holds_key(team), ledger_key(team)
    for id_ in changes.closed:
        yield holds, ["HDEL", id_]
    for entry in changes.opened:
        yield holds, ["HSET", entry.id, _hold_to_json(entry, now)]
    if changes.opened:
        yield holds, ["EXPIRE", str(PERIOD_TTL)]
    for entry in changes.lines:
        oldest = str(int((now - ledger_ttl) * 1000))
        yield ledger, ["XADD", "MINID", "~", oldest, "*", "line", _line_to_json(entry, team, now)]
    if changes.lines:
        yield ledger, ["EXPIRE", str(ledger_ttl)]
    for count, by in changes.counts.items():
        yield _key_of(team, count), ["HINCRBY", count.name, str(by)]
    for key in {_key_of(team, count): None for count in changes.counts}:
        yield key, ["EXPIRE", str(PERIOD_TTL)]


def _key_of(team: str, count: Count) -> str:
    return (asked_key if count.of_images else spent_key)(team, count.period)


def _hold_to_json(entry: Entry, now: float) -> str:
    line = {**_fields(entry, entry.session_id.partition(".")[0], now), "state": "estimated"}
    hold = {"begun": bool(entry.call.run_id), "images": int(entry.alone), "line": line}
    return json.dumps(hold, separators=(",", ":"))


def _line_to_json(entry: Entry, team: str, now: float) -> str:
    return json.dumps(_fields(entry, team, now), separators=(",", ":"))


def _fields(entry: Entry, team: str, now: float) -> dict[str, Any]:
    reserved, call = entry.reserved, entry.call
    measured = call.state is CallState.MEASURED
    return LedgerLine(
        id=entry.id,
        at=now,
        team=team,
        user=reserved.payer,
        channel=entry.channel,
        day=reserved.day,
        month=reserved.month,
        model=entry.model,
        size=reserved.size,
        quality=reserved.quality,
        state=call.state.value,
        micro=entry.micro,
        priced=call.priced if measured else reserved.priced,
        prices=call.version if measured else reserved.version,
        tokens=call.usage.counts(),
    )._asdict()


class RedisBooks:
    """Implements `bot.ports.PersonalSpending`, `Holds` and `Ledger`. `ledger_ttl` is seconds."""

    def __init__(self, redis: Redis, *, ledger_ttl: int, patience: float) -> None:
        self._redis = redis
        self._patience = patience
        self._ledger_ttl = ledger_ttl
        self._settle = redis.register_script(SETTLE)

    async def spent(self, team: str, payer: str, channel: str, day: str, month: str) -> Spent:
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hget(asked_key(team, day), payer)
            pipeline.hmget(spent_key(team, month), *spending_fields(payer, channel))
            images, amounts = await pipeline.execute()
        return Spent(int(images or 0), *(int(amount or 0) for amount in amounts))

    async def of_person(
        self, team: str, payer: str, days: Sequence[str], month: str
    ) -> tuple[list[int], int]:
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for day in days:
                pipeline.hget(asked_key(team, day), payer)
            pipeline.hget(spent_key(team, month), user_field(payer))
            *images, micro = await pipeline.execute()
        return [int(count or 0) for count in images], int(micro or 0)

    async def spent_by_workspaces(self, month: str) -> dict[str, int]:
        """Micro-dollars of the month, by workspace."""
        async with bounded(self._patience):
            teams = [str(team) for team in await self._redis.zrange(WORKSPACES, 0, -1)]
            pipeline = self._redis.pipeline(transaction=False)
            for team in teams:
                pipeline.hget(spent_key(team, month), WORKSPACE)
            amounts = await pipeline.execute()
        return {team: int(amount or 0) for team, amount in zip(teams, amounts, strict=True)}

    async def times_of_holds(self) -> list[float]:
        """When each hold of all workspaces last changed, in seconds since the epoch."""
        async with bounded(self._patience):
            teams = [str(team) for team in await self._redis.zrange(WORKSPACES, 0, -1)]
            pipeline = self._redis.pipeline(transaction=False)
            for team in teams:
                pipeline.hgetall(holds_key(team))
            found: list[dict[str, str]] = await pipeline.execute()
        return [float(json.loads(text)["line"]["at"]) for holds in found for text in holds.values()]

    async def first_time(self, team: str, period: str, what: str) -> bool:
        """Records that this was told in the day or month; False where it was before."""
        key = told_key(team, period)
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.sadd(key, what)
            pipeline.expire(key, PERIOD_TTL)
            added, _ = await pipeline.execute()
        return bool(added)

    async def older_than(self, seconds: float) -> list[Hold]:
        async with bounded(self._patience):
            listed = await self._redis.zrange(WORKSPACES, 0, -1)
            teams = [str(team) for team in listed]
            pipeline = self._redis.pipeline(transaction=False)
            for team in teams:
                pipeline.hgetall(holds_key(team))
            found: list[dict[str, str]] = await pipeline.execute()
        until = time.time() - seconds
        return [
            _hold(team, id_, stored)
            for team, holds in zip(teams, found, strict=True)
            for id_, stored in holds.items()
            if json.loads(stored)["line"]["at"] <= until
        ]

    async def settle(self, hold: Hold) -> bool:
        line = LedgerLine(**json.loads(hold.stored)["line"])
        team, now = hold.team, time.time()
        text = json.dumps({**line._asdict(), "at": now}, separators=(",", ":"))
        oldest = int((now - self._ledger_ttl) * 1000)
        async with bounded(self._patience):
            settled: int = await self._settle(
                keys=[
                    holds_key(team),
                    ledger_key(team),
                    spent_key(team, line.month),
                    asked_key(team, line.day),
                ],
                args=[
                    *(hold.id, hold.stored, text if hold.begun else ""),
                    *(-line.micro, -hold.images, line.user, self._ledger_ttl, oldest),
                    *spending_fields(line.user, line.channel),
                ],
            )
        return bool(settled)

    async def lines(self, since: float, team: str = "") -> AsyncIterator[LedgerLine]:
        if team:
            async for line in self._lines(ledger_key(team), since):
                yield line
            return
        async for key in self._redis.scan_iter(match=ledger_key("*"), count=1000):
            async for line in self._lines(key, since):
                yield line

    async def _lines(self, key: str, since: float) -> AsyncIterator[LedgerLine]:
        after = str(int(since * 1000))
        while page := await self._page(key, after):
            for id_, fields in page:
                yield LedgerLine(**json.loads(fields["line"]))
                after = f"({id_}"

    async def _page(self, key: str, after: str) -> list[tuple[str, dict[str, str]]]:
        async with bounded(self._patience):
            page: Any = await self._redis.xrange(key, after, count=_PAGE)
        return list(page)


def _hold(team: str, id_: str, stored: str) -> Hold:
    session_id, attempt, candidate, call = id_.rsplit(".", 3)
    image = ImageRef(int(attempt), int(candidate))
    told = json.loads(stored)
    return Hold(team, session_id, image, int(call), told["begun"], told["images"], id_, stored)
