"""Whether memory grows with what has been done: waves of sessions through the same processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from redis.asyncio import Redis

from tests.load.measure import alone
from tests.load.usage import memory
from tests.load.world import World

WAVE = 100
_MODEL_SECONDS = 0.5
_REST = 5.0
_PATIENCE = 60
_WITHIN = 5.0
"""Seconds over which a wave's commands, and then its clicks, are spread."""
_WARM_UP_WAVES = 2


@dataclass(frozen=True)
class Growth:
    """`rss`: megabytes of each process after each wave, the one before the first at the front.
    `slope`: kilobytes a session, over the waves after the first two."""

    wave: int
    rss: dict[str, list[float]]

    @property
    def slope(self) -> dict[str, float]:
        return {
            name: _slope(values[_WARM_UP_WAVES:], self.wave) for name, values in self.rss.items()
        }


async def grow(world: World, sessions: int) -> Growth:
    """Sessions are approved, images are taken out of Redis after each wave, as time would."""
    await alone(world, _MODEL_SECONDS)
    rss: dict[str, list[float]] = {name: [memory(world.pids[name])] for name in world.programs}
    async for wave in _waves(world, sessions // WAVE):
        for name, values in rss.items():
            values.append(memory(world.pids[name]))
        told = ", ".join(f"{name} {values[-1]:.0f} MB" for name, values in rss.items())
        sys.stderr.write(f"  after {wave * WAVE} sessions: {told}\n")
    return Growth(WAVE, rss)


async def _waves(world: World, waves: int) -> AsyncIterator[int]:
    for wave in range(1, waves + 1):
        given = await world.slack.ask("imagine", people=WAVE, within=_WITHIN)
        await _until(world, "drafts", len(given["acks"]))
        given = await world.slack.ask("approve", within=_WITHIN)
        await _until(world, "finals", len(given["acks"]))
        await asyncio.sleep(_REST)
        for simulator in (world.slack, world.openai):
            await simulator.ask("report")
        await world.slack.ask("forget")
        await _expire_images(world.redis.url)
        yield wave


async def _until(world: World, what: str, number: int) -> None:
    """Those that the bot had no time for, and said so, are not waited for beyond patience."""
    came = await world.slack.ask("until", what=what, number=number, timeout=_PATIENCE)
    if len(came["at"]) < number:
        sys.stderr.write(f"  only {len(came['at'])} of {number} {what} came\n")
    if not came["at"]:
        raise RuntimeError(f"no {what} came: {world.logs}")


async def _expire_images(url: str) -> None:
    async with Redis.from_url(url) as redis:
        keys = [key async for key in redis.scan_iter("*:generated_image:*", count=1000)]
        if keys:
            await redis.unlink(*keys)


def _slope(values: list[float], sessions_each: int) -> float:
    """Least squares, in kilobytes a session."""
    count = len(values)
    if count < 2:
        return 0.0
    middle, mean = (count - 1) / 2, sum(values) / count
    rise = sum((i - middle) * (value - mean) for i, value in enumerate(values))
    run = sum((i - middle) ** 2 for i in range(count))
    return 1000 * rise / run / sessions_each
