"""One case, measured: see the package for what each figure means."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from tests.programs.load.usage import Usage
from tests.programs.load.world import World

Json = dict[str, Any]

MODEL_SECONDS = 10.0
AFTERWARDS = 3.0
SECONDS_TO_ACK = 3.0
_WARM_UP = 0.2


@dataclass
class Figures:
    """A row of the table. Seconds, megabytes (10⁶), or as the name says."""

    case: Json
    image_mb: float
    acked: int = 0
    ack_p50: float = 0.0
    ack_p99: float = 0.0
    ack_max: float = 0.0
    drafts: int = 0
    ideal: float = 0.0
    last: float = 0.0
    burst: float = 0.0
    busy: float = 0.0
    cpu_ms: float = 0.0
    cpu_ms_of: dict[str, float] = field(default_factory=dict)
    rss_peak: float = 0.0
    rss_each: float = 0.0
    redis_kb: float = 0.0
    redis_kb_without_image: float = 0.0
    slack_calls: float = 0.0
    openai_calls: float = 0.0
    calls: dict[str, float] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)
    approve: Json = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Last ÷ ideal; none where a draft is missing."""
        complete = self.ideal and self.drafts == self.case["n"]
        return self.last / self.ideal if complete else float("inf")


async def measure(world: World, patience: float, *, approve: bool = False) -> Figures:
    """Warm up, one alone, then N together. `patience`: seconds to wait for the last draft."""
    case = world.case
    figures = Figures({**vars(case)}, world.openai.facts["image"] / 1e6)
    await alone(world, _WARM_UP)
    figures.ideal = await alone(world, MODEL_SECONDS)
    async with Redis.from_url(world.redis.url) as redis:
        before, kept = await _used(redis), await _without_images(redis)
        usage = Usage(world.pids)
        usage.begin()
        async with usage.sampling():
            await _together(world, figures, usage, patience)
        figures.redis_kb = (await _used(redis) - before) / case.n / 1e3
        kept = await _without_images(redis) - kept
        figures.redis_kb_without_image = kept / case.n / 1e3
    if approve and figures.drafts:
        await _approve(world, figures, patience)
    return figures


async def alone(world: World, model_seconds: float) -> float:
    """Seconds from command to draft for one person; what was counted is forgotten."""
    await world.openai.ask("latency", seconds=model_seconds)
    given = await world.slack.ask("imagine", people=1)
    came = await world.slack.ask("until", what="drafts", number=1, timeout=60)
    if not came["at"]:
        raise RuntimeError(f"not even one draft came: {given}\n{world.logs}")
    await asyncio.sleep(1.5)
    for simulator in (world.slack, world.openai):
        await simulator.ask("report")
    await world.slack.ask("forget")
    return float(came["at"][0] - given["began"])


async def _together(world: World, figures: Figures, usage: Usage, patience: float) -> None:
    n = world.case.n
    acks = await world.slack.ask("imagine", people=n)
    _note_acks(figures, acks)
    came = await world.slack.ask("until", what="drafts", number=n, timeout=patience)
    await asyncio.sleep(AFTERWARDS)
    figures.drafts = len(came["at"])
    _note_usage(world, figures, usage)
    openai = await world.openai.ask("report")
    if came["at"] and openai["made"]:
        first, last = min(openai["made"]), came["at"][-1]
        figures.last, figures.burst = last - acks["began"], last - first
        figures.busy = usage.busy(first, last)
    figures.openai_calls, figures.shares = openai["calls"] / n, openai["shares"]
    if world.case.subject == "bot" and not figures.problems:
        figures.problems += openai["complaints"]
    await _note_calls(world, figures)


def _note_acks(figures: Figures, given: Json) -> None:
    acks = sorted([*given["acks"], *[SECONDS_TO_ACK] * given["missed"]])
    figures.acked = len(given["acks"])
    figures.ack_p50, figures.ack_max = statistics.median(acks), acks[-1]
    figures.ack_p99 = acks[min(len(acks) - 1, round(0.99 * len(acks)))]


def _note_usage(world: World, figures: Figures, usage: Usage) -> None:
    n, names = figures.drafts or world.case.n, list(world.programs)
    figures.cpu_ms_of = {name: usage.cpu(name) * 1000 / n for name in usage.pids}
    figures.cpu_ms = sum(figures.cpu_ms_of[name] for name in names)
    figures.rss_peak = sum(usage.peak(name) for name in names)
    makers = [name for name in names if not name.startswith("web")]
    figures.rss_each = sum(usage.peak(name) - usage.rss_before[name] for name in makers) / n


async def _note_calls(world: World, figures: Figures) -> None:
    report, n = await world.slack.ask("report"), world.case.n
    calls: Json = report["calls"]
    figures.calls = {method: count / n for method, count in calls.items()}
    figures.slack_calls = sum(figures.calls.values())
    figures.problems += report["violations"]
    if told := calls.get("chat.postEphemeral"):
        figures.problems.append(f"{told} people were told in private that something went wrong")


async def _approve(world: World, figures: Figures, patience: float) -> None:
    """All drafts at once; the calls and CPU of it, per image, apart from the rest."""
    usage = Usage(world.pids)
    usage.begin()
    given = await world.slack.ask("approve")
    came = await world.slack.ask(
        "until", what="finals", number=len(given["acks"]), timeout=patience
    )
    await asyncio.sleep(AFTERWARDS)
    told = Figures(figures.case, figures.image_mb)
    _note_acks(told, given)
    _note_usage(world, told, usage)
    await _note_calls(world, told)
    figures.approve = {
        "acked": told.acked,
        "ack_p99": told.ack_p99,
        "finals": len(came["at"]),
        "last": (came["at"][-1] - given["began"]) if came["at"] else 0.0,
        "cpu_ms": told.cpu_ms,
        "calls": told.calls,
    }


async def _used(redis: Any) -> float:
    memory = await redis.info("memory")
    return float(memory["used_memory"])


async def _without_images(redis: Any) -> float:
    """Bytes of all keys but those of images."""
    pipeline = redis.pipeline(transaction=False)
    async for key in redis.scan_iter(count=1000):
        if b":generated_image:" not in key:
            pipeline.memory_usage(key, samples=0)
    return float(sum(size or 0 for size in await pipeline.execute()))
