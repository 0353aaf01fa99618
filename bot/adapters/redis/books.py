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
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.book_entries import (
    hold_from_json,
    hold_to_json,
    line_from_json,
    line_to_json,
)
from bot.adapters.redis.key_scan import scan_keys
from bot.adapters.redis.record_reader import is_broken
from bot.adapters.redis.schema import (
    WORKSPACES,
    asked_key,
    holds_key,
    ledger_key,
    spent_key,
    told_key,
)
from bot.adapters.redis.write_script import ADD
from bot.adapters.redis_errors import bounded
from bot.domain.books import WORKSPACE, Changes, Count, spending_fields, user_field
from bot.domain.errors import StoreUnavailable
from bot.ports import Hold, LedgerLine, Spent

log = logging.getLogger(__name__)

PERIOD_TTL = 70 * 24 * 3600
"""Seconds for which a counter stays after its last change: its month, and time to settle."""
_PAGE = 1000
_CLOCKS_APART = 60.0
"""Seconds. What a process has written whose clock is further ahead counts as old."""

SETTLE = (
    ADD
    + """
-- Settle the hold of a session that is gone.
-- KEYS: holds, ledger, spent, images
-- ARGV: id, the hold as it was read, its line as JSON ('' = give back), micro-dollars and images
--       to add (a -0 that Lua makes is no number for Redis 7.0), person, ledger ttl s, fields of
--       spent...
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' then
  add_line(KEYS[2], ARGV[7], ARGV[3])
else
  for i = 8, #ARGV do add(KEYS[3], ARGV[i], ARGV[4]) end
  add(KEYS[4], ARGV[6], ARGV[5])
end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
"""
)


def book_writes(
    team: str, changes: Changes, now: float, ledger_ttl: int
) -> Iterator[tuple[str, list[str]]]:
    """The writes of a commit into the books: a key, and a command with its arguments. `now` is in
    seconds since the epoch."""
    holds, ledger = holds_key(team), ledger_key(team)
    for id_ in changes.closed:
        yield holds, ["HDEL", id_]
    for entry in changes.opened:
        yield holds, ["HSET", entry.id, hold_to_json(entry, now)]
    if changes.opened:
        yield holds, ["EXPIRE", str(PERIOD_TTL)]
    for entry in changes.lines:
        yield ledger, ["XADDLINE", str(ledger_ttl), line_to_json(entry, team, now)]
    for count, by in changes.counts.items():
        yield _key_of(team, count), ["HINCRBY", count.name, str(by)]
    for key in {_key_of(team, count): None for count in changes.counts}:
        yield key, ["EXPIRE", str(PERIOD_TTL)]


def _key_of(team: str, count: Count) -> str:
    return (asked_key if count.of_images else spent_key)(team, count.period)


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
        return [hold.line.at for hold in await self._all_holds()]

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
        now = time.time()
        holds = await self._all_holds()
        return [h for h in holds if not now - seconds < h.line.at <= now + _CLOCKS_APART]

    async def _all_holds(self) -> list[Hold]:
        """What somebody broke is left out, and hides no others."""
        async with bounded(self._patience):
            teams = [str(team) for team in await self._redis.zrange(WORKSPACES, 0, -1)]
            pipeline = self._redis.pipeline(transaction=False)
            for team in teams:
                pipeline.hgetall(holds_key(team))
            found = await pipeline.execute(raise_on_error=False)
        holds = []
        for team, stored in zip(teams, found, strict=True):
            if isinstance(stored, Exception):  # the key is of another type
                log.error("the holds of %s cannot be read: %s", team, stored)
                continue
            read = {id_: hold_from_json(team, id_, text) for id_, text in stored.items()}
            holds += [hold for hold in read.values() if hold]
            if broken := [id_ for id_, hold in read.items() if hold is None]:
                log.error("holds of %s cannot be read: %s", team, ", ".join(broken))
        return holds

    async def settle(self, hold: Hold) -> bool:
        line, team, now = hold.line, hold.team, time.time()
        text = json.dumps({**line._asdict(), "at": now}, separators=(",", ":"))
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
                    *(-line.micro, -hold.images, line.user, self._ledger_ttl),
                    *spending_fields(line.user, line.channel),
                ],
            )
        return bool(settled)

    async def lines(self, since: float, team: str = "") -> AsyncIterator[LedgerLine]:
        for each in [team] if team else await self.teams():
            async for line in self._lines(ledger_key(each), since):
                yield line

    async def days(self) -> AsyncIterator[tuple[str, str]]:
        """The workspaces and days in which images were asked for. One may come twice."""
        async for keys in scan_keys(
            self._redis, asked_key("*", "*"), partial(bounded, self._patience)
        ):
            for key in keys:
                yield _team_of(key), key.rpartition(":")[2]

    async def teams(self) -> list[str]:
        """The workspaces that have a ledger. A scan may name a key twice, and each step is
        bounded."""
        step = partial(bounded, self._patience)
        pages = scan_keys(self._redis, ledger_key("*"), step)
        keys = {key async for keys in pages for key in keys}
        return sorted(map(_team_of, keys))

    async def _lines(self, key: str, since: float) -> AsyncIterator[LedgerLine]:
        after = str(int(since * 1000))
        while page := await self._page(key, after):
            for id_, fields in page:
                if line := line_from_json(fields.get("line", "")):
                    yield line
                else:
                    log.error("a line of %s cannot be read: %s", key, id_)
                after = f"({id_}"

    async def _page(self, key: str, after: str) -> list[tuple[str, dict[str, str]]]:
        try:
            async with bounded(self._patience):
                page: Any = await self._redis.xrange(key, after, count=_PAGE)
        except StoreUnavailable as error:
            if is_broken(error):
                raise StoreUnavailable(
                    f"{key} cannot be read: {error.__cause__}"
                ) from error.__cause__
            raise
        return list(page)


def _team_of(key: str) -> str:
    return key.partition("{")[2].partition("}")[0]
