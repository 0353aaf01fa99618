"""Whether memory grows with what has been done: waves of sessions through the same processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from redis.asyncio import Redis

from tests.programs.load.measure import alone
from tests.programs.load.usage import memory
from tests.programs.load.world import World

WAVE = 100
_MODEL_SECONDS = 0.5
_REST = 5.0
_PATIENCE = 60
_WITHIN = 5.0
"""Seconds over which a wave's commands, and then its clicks, are spread."""
_WARM_UP_WAVES = 2
FEWEST = 6 * WAVE
"""Sessions: with fewer the halves are single waves, which say nothing."""


@dataclass(frozen=True)
class Growth:
    """`rss`: megabytes of each process after each wave, the one before the first at the front.
    `slope`: by how many kilobytes a session the floor rises, from the lowest in the first half of
    the waves after the first two to the lowest in the second half. What is kept is in every value;
    what the allocator has not given back yet, up to 100 MB of 2 MB blocks, is in some."""

    wave: int
    rss: dict[str, list[float]]

    @property
    def slope(self) -> dict[str, float]:
        return {
            name: _slope(values[1 + _WARM_UP_WAVES :], self.wave)
            for name, values in self.rss.items()
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
    came = await world.slack.ask("until", what=what, number=number, timeout=_PATIENCE)
    if len(came["at"]) < number:
        raise RuntimeError(f"only {len(came['at'])} of {number} {what} came: {world.logs}")


async def _expire_images(url: str) -> None:
    async with Redis.from_url(url) as redis:
        keys = [key async for key in redis.scan_iter("*:generated_image:*", count=1000)]
        if keys:
            await redis.unlink(*keys)


def _slope(values: list[float], sessions_each: int) -> float:
    """In kilobytes a session. Halves are compared by their floors, half of all values apart."""
    half = len(values) // 2
    return 1000 * (min(values[half:]) - min(values[:half])) / (half * sessions_each)
