"""The books of a workspace in Redis: what a commit writes into them, and what reads them.

    imagine:{team}:holds             hash: the id of a call → its hold, as JSON
    imagine:{team}:ledger            stream: one line for each paid call
    imagine:{team}:spent:<month>     hash: person, channel, workspace → micro-dollars
    imagine:{team}:asked:<day>       hash: person → images

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

from bot.adapters.redis.atomic_writes import WRITE_IF_UNCHANGED, Write
from bot.adapters.redis.book_entries import (
    hold_from_json,
    hold_to_json,
    line_from_json,
    line_to_json,
)
from bot.adapters.redis.key_scan import scan_keys
from bot.adapters.redis.schema import (
    WORKSPACES,
    asked_key,
    holds_key,
    ledger_key,
    spent_key,
)
from bot.adapters.redis_errors import bounded, whole_number
from bot.domain.books import WORKSPACE, Changes, Count, spending_fields, user_field
from bot.domain.errors import StoreBroken
from bot.ports import Hold, LedgerLine, Spent

log = logging.getLogger(__name__)

PERIOD_TTL = 70 * 24 * 3600
"""Seconds for which a counter stays after its last change: its month, and time to settle."""
_PAGE = 1000
_CLOCKS_APART = 60.0
"""Seconds. What a process has written whose clock is further ahead counts as old."""


def book_writes(team: str, changes: Changes, now: float, ledger_ttl: int) -> Iterator[Write]:
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


def _counts_given_back(hold: Hold) -> Iterator[Write]:
    line = hold.line
    for name in spending_fields(line.user, line.channel):
        yield spent_key(hold.team, line.month), ["HINCRBY", name, str(-line.micro)]
    yield asked_key(hold.team, line.day), ["HINCRBY", line.user, str(-hold.images)]


class RedisBooks:
    """Implements `bot.ports.PersonalSpending`, `Holds` and `Ledger`. `ledger_ttl` is seconds."""

    def __init__(self, redis: Redis, *, ledger_ttl: int, patience: float) -> None:
        self._redis = redis
        self._patience = patience
        self._ledger_ttl = ledger_ttl
        self._settle = redis.register_script(WRITE_IF_UNCHANGED)

    async def spent(self, team: str, payer: str, channel: str, day: str, month: str) -> Spent:
        asked, spent = asked_key(team, day), spent_key(team, month)
        fields = spending_fields(payer, channel)
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hget(asked, payer)
            pipeline.hmget(spent, *fields)
            images, amounts = await pipeline.execute()
        numbers = (whole_number(a, spent, f) for a, f in zip(amounts, fields, strict=True))
        return Spent(whole_number(images, asked, payer), *numbers)

    async def of_person(
        self, team: str, payer: str, days: Sequence[str], month: str
    ) -> tuple[list[int], int]:
        places = [(asked_key(team, day), payer) for day in days]
        places.append((spent_key(team, month), user_field(payer)))
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for key, field in places:
                pipeline.hget(key, field)
            found = await pipeline.execute()
        *images, micro = (whole_number(n, *p) for n, p in zip(found, places, strict=True))
        return images, micro

    async def spent_by_workspaces(self, month: str) -> dict[str, int]:
        """Micro-dollars of the month, by workspace. What somebody broke is left out."""
        async with bounded(self._patience):
            teams = [str(team) for team in await self._redis.zrange(WORKSPACES, 0, -1)]
            pipeline = self._redis.pipeline(transaction=False)
            for team in teams:
                pipeline.hget(spent_key(team, month), WORKSPACE)
            amounts = await pipeline.execute(raise_on_error=False)
        spent = {}
        for team, amount in zip(teams, amounts, strict=True):
            try:
                spent[team] = whole_number(amount, spent_key(team, month), WORKSPACE)
            except StoreBroken as error:
                log.error("what a workspace spends cannot be read: %s", error)
        return spent

    async def times_of_holds(self) -> list[float]:
        """When each hold of all workspaces last changed, in seconds since the epoch."""
        return [hold.line.at for hold in await self._all_holds()]

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
        key = holds_key(hold.team)
        writes: list[Write] = [(key, ["HDEL", hold.id])]
        writes += self._line_of(hold) if hold.begun else _counts_given_back(hold)
        keys, commands = zip(*writes, strict=True)
        async with bounded(self._patience):
            settled: int = await self._settle(
                keys=[key, *keys], args=[hold.id, hold.stored, json.dumps(commands)]
            )
        return bool(settled)

    def _line_of(self, hold: Hold) -> Iterator[Write]:
        line = json.dumps({**hold.line._asdict(), "at": time.time()}, separators=(",", ":"))
        yield ledger_key(hold.team), ["XADDLINE", str(self._ledger_ttl), line]

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
        async with bounded(self._patience, key):
            page: Any = await self._redis.xrange(key, after, count=_PAGE)
        return list(page)


def _team_of(key: str) -> str:
    return key.partition("{")[2].partition("}")[0]
