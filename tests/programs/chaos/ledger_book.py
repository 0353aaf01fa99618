"""The books as they are at the end, read past the program; and what is left to settle, settled as
the next worker would."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bot.adapters.redis import RedisBooks, RedisSessionStore
from bot.jobs.hold_sweeper import HoldSweeper

_TTL = 400 * 24 * 3600


class Line(NamedTuple):
    """A line of the ledger; `id` is `session.attempt.candidate.call`."""

    id: str
    user: str
    channel: str
    state: str
    micro: int
    at: float

    @property
    def session(self) -> str:
        return self.id.rsplit(".", 3)[0]

    @property
    def image(self) -> str:
        """The candidate, which counts as one image whatever calls it takes."""
        return self.id.rsplit(".", 1)[0]


@dataclass
class LedgerBook:
    """`hold_ages`: seconds since each hold changed, when all was quiet. `holds`: those that no
    sweep settles. `spent` and `asked` are the counters of all months and days by their fields."""

    lines: list[Line] = field(default_factory=list)
    hold_ages: dict[str, float] = field(default_factory=dict)
    holds: list[str] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    @property
    def last_lines(self) -> list[Line]:
        """The last line of each call, which stands in the place of an estimate before it."""
        return list({line.id: line for line in self.lines}.values())


class _Nobody:
    """Implements `bot.ports.Heartbeats` where every process has ended."""

    async def begin(self, run_id: str) -> None: ...

    async def end(self, run_id: str) -> None: ...

    async def is_alive(self, run_id: str) -> bool:
        return False


async def read_ledger(redis: Redis) -> LedgerBook:
    """Every workspace's, once no process is left."""
    now = time.time()
    ages = {
        id_: now - json.loads(text)["line"]["at"] for id_, text in (await _holds(redis)).items()
    }
    store = RedisSessionStore(redis, session_ttl=_TTL, image_ttl=_TTL, patience=30.0)
    books = RedisBooks(redis, ledger_ttl=_TTL, patience=30.0)
    await HoldSweeper(books, store, _Nobody(), quiet_for=-1.0).sweep()
    return LedgerBook(
        await _lines(redis),
        ages,
        list(await _holds(redis)),
        await _counters(redis, "spent"),
        await _counters(redis, "asked"),
    )


async def _holds(redis: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    async for key in redis.scan_iter("imagine:{*}:holds"):
        found |= await redis.hgetall(key)
    return found


async def _lines(redis: Any) -> list[Line]:
    lines = []
    async for key in redis.scan_iter("imagine:{*}:ledger"):
        for _, fields in await redis.xrange(key):
            facts = json.loads(fields["line"])
            lines.append(Line(*(facts[name] for name in Line._fields)))
    return lines


async def _counters(redis: Any, kind: str) -> Counter[str]:
    found: Counter[str] = Counter()
    async for key in redis.scan_iter(f"imagine:{{*}}:{kind}:*"):
        found.update({name: int(n) for name, n in (await redis.hgetall(key)).items()})
    return found
