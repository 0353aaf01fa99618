"""`python -m tests.programs.load.redis_model`: what one idea (one /imagine, one draft, one Approve)
costs Redis, and hence how many a day one Redis carries.

So many people have one idea each, one after the other: a web, a worker, the simulated Slack, the
fake OpenAI (an image of 2 MB in one second) and a Valkey with its append-only file, as in
`tests.programs.load`. Before that, the same processes are watched while nobody does anything; what
they ask of Redis meanwhile is taken off in proportion to the time.

- *Commands*: `INFO commandstats`, those that scripts call included.
- *CPU*: `used_cpu_user` and `used_cpu_sys` of the server.
- *Network, append-only file*: bytes.
- *Memory*: `MEMORY USAGE` of the keys that came, by what they are for and by how long they stay.

Then small images are stored beside so many others of one person, for what `USER_BYTES` costs the
server: the mean time of the script.

The model: the busiest hour takes a fifth of a day's ideas. At its end there is in memory what came
in it and stays for an hour, the part of it that stays for less, and of what stays for days the
ideas of so many days. One core of the server may be busy for half of that hour. The smaller of the
two bounds is where it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis import RedisSessionStore, redis_client
from bot.domain.attempt import ImageRef
from tests.programs.load.measure import alone
from tests.programs.load.world import Case, World, opened

DAY = 24 * 3600
BUSY_HOUR = 0.2
"""Of a day's ideas."""
BUSY_CORE = 0.5
"""Of a core of the server, at most."""
FULL = 0.8
"""Of `maxmemory`, above which an alert says so."""
STAYS = {"books": 400 * DAY, "session": 7 * DAY, "queue": 3600, "image": 3600}
"""Seconds, with the default settings; the books are the record and the ledger."""
_IDLE = 15.0
_AFTERWARDS = 3.0
_MODEL_SECONDS = 1.0
_PATIENCE = 120.0
_STORED = 50
_OTHERS = (24, 640)
"""Images of one person: of 2 MB and of 75 kB, as many as the default of `USER_BYTES` takes."""
_STATS = "cmdstat_"
_COUNTED = {
    "bytes in": "total_net_input_bytes",
    "bytes out": "total_net_output_bytes",
    "append-only file": "aof_current_size",
}


@dataclass(frozen=True)
class Cost:
    """Of one idea. `memory` is bytes by kind, as in `STAYS`; `commands` are numbers by name; `cpu`
    is seconds."""

    cpu: float
    network: float
    file: float
    memory: Mapping[str, float]
    commands: Mapping[str, float]

    def held(self, a_day: float) -> float:
        """Bytes in memory with so many ideas a day, at the end of the busiest hour."""
        return sum(a_day * self.memory[kind] * _part_of_day(STAYS[kind]) for kind in STAYS)

    def most_by_memory(self, maxmemory: float) -> float:
        """Ideas a day that fit."""
        return FULL * maxmemory / self.held(1)

    def most_by_cpu(self) -> float:
        """Ideas a day that one core carries."""
        return BUSY_CORE * 3600 / self.cpu / BUSY_HOUR


def _part_of_day(stays: float) -> float:
    """How many days' ideas are there at a time of what stays for so many seconds."""
    return max(stays / DAY, BUSY_HOUR * min(stays, 3600) / 3600)


def kind_of(key: str) -> str:
    """What a key is for, by how long it stays."""
    if key.startswith("{imagine}:"):
        return "queue"
    name = key.partition("}:")[2]
    if name.startswith(("record", "ledger")):
        return "books"
    return "image" if ":generated_image:" in key else "session"


def table(cost: Cost, gigabytes: list[float]) -> str:
    """For docs/operations.md."""
    megabytes = {kind: bytes_ / 1e3 for kind, bytes_ in cost.memory.items()}
    rows = [
        "| one idea | |",
        "|---|---|",
        f"| commands | {sum(cost.commands.values()):,.0f} ({_most(cost.commands)}) |",
        f"| CPU of the server | {cost.cpu * 1e3:.1f} ms |",
        f"| network | {cost.network / 1e6:.1f} MB |",
        f"| append-only file | {cost.file / 1e6:.1f} MB |",
        *(f"| memory, {kind}: {STAYS[kind]:,} s | {megabytes[kind]:,.1f} kB |" for kind in STAYS),
        f"| a day by one core | {cost.most_by_cpu():,.0f} ideas |",
        *(
            f"| a day in {size:g} GB | {cost.most_by_memory(size * 1e9):,.0f} ideas |"
            for size in gigabytes
        ),
    ]
    return "\n".join(rows)


def _most(commands: Mapping[str, float]) -> str:
    most = sorted(commands.items(), key=lambda each: -each[1])[:8]
    return ", ".join(f"{name} {number:,.0f}" for name, number in most)


async def measured(world: World, people: int, every: float) -> Cost:
    """`every`: seconds between two people."""
    async with Redis.from_url(world.redis.url, decode_responses=True) as redis:
        await alone(world, _MODEL_SECONDS)
        idle = _difference(await _counts(redis), await _after(redis, asyncio.sleep(_IDLE)))
        keys, before = await _sizes(redis), await _counts(redis)
        await _ideas(world, people, every)
        spent = _difference(before, await _counts(redis))
        for name in spent:
            if name != "seconds":
                spent[name] -= idle.get(name, 0.0) / idle["seconds"] * spent["seconds"]
        grown = Counter(await _sizes(redis))
        grown.subtract(keys)
    network = spent["bytes in"] + spent["bytes out"]
    each = {name: value / people for name, value in spent.items()}
    memory = {kind: grown[kind] / people for kind in STAYS}
    commands = {
        name.removeprefix(_STATS): value for name, value in each.items() if name.startswith(_STATS)
    }
    return Cost(each["cpu"], network / people, each["append-only file"], memory, commands)


async def _ideas(world: World, people: int, every: float) -> None:
    for command, what in (("imagine", "drafts"), ("approve", "finals")):
        given = {"people": people} if command == "imagine" else {}
        told = await world.slack.ask(command, within=people * every, **given)
        if len(told["acks"]) < people:
            raise RuntimeError(f"{told['missed']} of {people} acks are missing: {world.logs}")
        came = await world.slack.ask("until", what=what, number=people, timeout=_PATIENCE)
        if len(came["at"]) < people:
            raise RuntimeError(f"only {len(came['at'])} of {people} {what} came: {world.logs}")
    await asyncio.sleep(_AFTERWARDS)


async def bound_cost(url: str, others: int) -> float:
    """Seconds of the server for storing one image beside so many others of the same person."""
    redis = redis_client(url, patience=30.0)
    try:
        store = RedisSessionStore(
            redis, session_ttl=3600, image_ttl=3600, patience=30.0, user_bytes=10**9
        )
        for number in range(others):
            await store.keep_image(f"T0.U{others}.s{number}", ImageRef(1), "x" * 100)
        await redis.config_resetstat()
        for _ in range(_STORED):
            await store.keep_image(f"T0.U{others}.s0", ImageRef(1), "x" * 100)
        told: dict[str, Any] = await redis.info("commandstats")
        return float(told[f"{_STATS}evalsha"]["usec_per_call"]) / 1e6
    finally:
        await redis.aclose()


async def _after(redis: Any, what: Any) -> dict[str, float]:
    await what
    return await _counts(redis)


async def _counts(redis: Any) -> dict[str, float]:
    info = await redis.info("everything")
    counts = {name: float(info[field]) for name, field in _COUNTED.items()}
    counts |= {name: float(told["calls"]) for name, told in info.items() if name.startswith(_STATS)}
    cpu = info["used_cpu_user"] + info["used_cpu_sys"]
    return {**counts, "cpu": cpu, "seconds": asyncio.get_running_loop().time()}


def _difference(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before.get(name, 0.0) for name in after}


async def _sizes(redis: Any) -> dict[str, float]:
    """Bytes of all keys, by kind."""
    keys = [key async for key in redis.scan_iter(count=1000)]
    pipeline = redis.pipeline(transaction=False)
    for key in keys:
        pipeline.memory_usage(key, samples=0)
    sizes: Counter[str] = Counter()
    for key, size in zip(keys, await pipeline.execute(), strict=True):
        sizes[kind_of(key)] += size or 0
    return dict(sizes)


async def _run(people: int, every: float) -> tuple[Cost, dict[int, float]]:
    async with opened(Case("bot", "socket", people)) as world:
        cost = await measured(world, people, every)
        bounds = {others: await bound_cost(world.redis.url, others) for others in _OTHERS}
        return cost, bounds


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.redis_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two people")
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1, 4, 16, 64])
    given = parser.parse_args()
    cost, bounds = asyncio.run(_run(given.people, given.every))
    sys.stdout.write(table(cost, given.gigabytes) + "\n")
    for others, seconds in bounds.items():
        sys.stdout.write(f"| storing an image beside {others} others | {seconds * 1e3:.2f} ms |\n")


if __name__ == "__main__":
    main()
