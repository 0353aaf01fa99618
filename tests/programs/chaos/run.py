"""One run: people and faults, then quiet, then the oracle."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.programs.chaos.evidence import gather
from tests.programs.chaos.fault_injection import FaultInjector
from tests.programs.chaos.idle import until_idle
from tests.programs.chaos.oracle import judge
from tests.programs.chaos.people import Person
from tests.programs.chaos.plan import Plan, Visit
from tests.programs.chaos.report import Report
from tests.programs.chaos.world import World

_LAST_WORDS = 20.0
"""Seconds for what people have begun when it is closing time."""


async def run(plan: Plan, folder: Path) -> Report:
    """Play the plan; logs and journal are kept in the folder."""
    began = time.time()
    async with World(plan, folder) as world:
        await _play(world)
        world.journal.add("phase", "quiet")
        await world.all_ready(120.0)
        idle_after, left = await until_idle(world)
        world.journal.add("phase", "judged", left=str(left))
        await asyncio.gather(*(slot.stop() for slot in world.slots.values()))
        evidence = await gather(world, left)
        verdict = judge(evidence)
    return Report(plan, evidence, verdict, idle_after, time.time() - began)


async def _play(world: World) -> None:
    plan = world.plan
    world.closing = time.time() + plan.seconds
    world.slack.mail.faulty = True
    injector = FaultInjector(world)
    throwing = asyncio.create_task(injector.run())
    visits = [asyncio.create_task(_visit(world, visit)) for visit in plan.visits]
    await asyncio.sleep(plan.seconds)
    throwing.cancel()
    await asyncio.gather(throwing, return_exceptions=True)
    await injector.end()
    done, late = await asyncio.wait(visits, timeout=_LAST_WORDS)
    for visit in late:
        visit.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for visit in done:
        visit.result()  # what broke in a person, is a bug of ours


async def _visit(world: World, visit: Visit) -> None:
    await asyncio.sleep(visit.at)
    await Person(world, visit).play()
