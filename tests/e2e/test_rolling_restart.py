"""Every process is replaced, one after the other, while people go on working. Nobody notices."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import Message
from bot.views.words import CANCELLED
from tests.support.fleet import Fleet, Member
from tests.support.load_balancer import LoadBalancer
from tests.support.processes import World
from tests.support.scene import Scene, isolated_world
from tests.support.store import sessions_in

PEOPLE = 5
"""At work at the same time, each of whom begins in a way of their own."""
MODEL_TIME = 2.0
GRACE = 0.7
"""Seconds for a worker's running jobs: most generations outlive it."""
IN_TIME = 60.0
GENERATING = '"generating"'
"""In the log of a worker whose generation begins."""

pytestmark = pytest.mark.timeout(600)


class Work:
    """What people did. `wanted`: for each session's prompt, in which stage it has to be in the end
    and how many images were asked for. `cancelled`: how many of these were called off."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wanted: dict[str, tuple[str, int]] = {}
        self.cancelled = 0
        self.scenes: list[Scene] = []
        self.over = asyncio.Event()

    async def of_one_person(self, number: int) -> None:
        """One session after the other, each in its own way, until the work is over."""
        ways = [self.approving, self.asking_again, self.cancelling, self.changing, self.leaving]
        for turn in itertools.count(number):
            if self.over.is_set():
                return
            scene = Scene(self.world)
            self.scenes.append(scene)
            prompt = f"picture {len(self.scenes)}"
            self.wanted[prompt] = await ways[turn % len(ways)](scene, prompt)

    async def approving(self, scene: Scene, prompt: str) -> tuple[str, int]:
        await scene.imagine(prompt)
        await scene.approved(await reviewable(scene), timeout=IN_TIME)
        return "final", 1

    async def asking_again(self, scene: Scene, prompt: str) -> tuple[str, int]:
        await scene.imagine(prompt)
        first = await reviewable(scene)
        await scene.click(first, "Regenerate")
        await scene.approved(await reviewable(scene, after=first), timeout=IN_TIME)
        return "final", 2

    async def cancelling(self, scene: Scene, prompt: str) -> tuple[str, int]:
        await scene.imagine(prompt)
        root = await scene.root_of(prompt)
        await scene.shows(root, "Generating", timeout=IN_TIME)
        await scene.click(root, "Cancel")
        await scene.shows(root, "🚫 Cancelled", timeout=IN_TIME)
        self.cancelled += 1
        return "initial_input", 1

    async def changing(self, scene: Scene, prompt: str) -> tuple[str, int]:
        """By words in the thread, which come as an event."""
        await scene.imagine(prompt)
        first = await reviewable(scene)
        ack = await scene.slack.mention(
            scene.alice, scene.channel, "make it night", thread_ts=first.thread_ts
        )
        assert ack.ok, ack
        await reviewable(scene, after=first)
        return "user_feedback", 2

    async def leaving(self, scene: Scene, prompt: str) -> tuple[str, int]:
        await scene.imagine(prompt)
        await reviewable(scene)
        return "user_feedback", 1


async def reviewable(scene: Scene, after: Message | None = None) -> Message:
    """The next draft, once it can be decided about."""
    draft = await scene.draft(after, timeout=IN_TIME)
    await scene.until_stage("user_feedback", timeout=IN_TIME)
    return draft


Restart = Callable[[Fleet, Member], Awaitable[None]]


async def start_new_then_stop_old(fleet: Fleet, old: Member) -> None:
    await fleet.start(old.command)
    assert await fleet.stop(old) == 0


async def stop_old_then_start_new(fleet: Fleet, old: Member) -> None:
    assert await fleet.stop(old) == 0
    await fleet.start(old.command)


ORDERS: dict[str, list[tuple[Restart, set[str]]]] = {
    "socket": [(stop_old_then_start_new, {"web", "worker"})],
    "http": [(start_new_then_stop_old, {"web", "worker"}), (stop_old_then_start_new, {"web"})],
}
"""And what is restarted in that order. A load balancer sends requests to the new process in another
way in each order. Over Socket Mode the order in which a connection is missing is the harder one."""


@asynccontextmanager
async def fleet_in(world: World) -> AsyncIterator[Fleet]:
    """Two webs and two workers."""
    async with AsyncExitStack() as stack:
        balancer = None
        if world.mode == "http":
            balancer = await stack.enter_async_context(LoadBalancer())
            world.slack.use_http(balancer.url)
        fleet = Fleet(world, balancer, SHUTDOWN_GRACE=str(GRACE))
        for command in ("web", "worker", "web", "worker"):
            await fleet.start(command)
        yield fleet
        assert balancer is None or balancer.failures == []


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_everything_is_restarted_under_load_and_nobody_notices(
    tmp_path: Path, mode: str, record_property: Callable[[str, object], None]
) -> None:
    async with isolated_world(tmp_path, mode) as world, fleet_in(world) as fleet:
        world.openai.latency = MODEL_TIME
        work = Work(world)
        people = [asyncio.create_task(work.of_one_person(number)) for number in range(PEOPLE)]
        await _while_they_work(people, _restart_all(fleet, *ORDERS[mode]))
        work.over.set()
        await asyncio.gather(*people)
        handed_back = sum(process.log.count("was handed back") for process in world.processes)
        record_property("sessions during the restarts", len(work.wanted))
        record_property("jobs handed back", handed_back)
        assert handed_back, "no generation outlived its worker"
        await _assert_all_is_as_wanted(work)


async def _while_they_work(
    people: list[asyncio.Task[None]], doing: Coroutine[Any, Any, None]
) -> None:
    """Raises at once what goes wrong for anybody."""
    done = asyncio.create_task(doing)
    await asyncio.wait([done, *people], return_when=asyncio.FIRST_COMPLETED)
    for task in (done, *people):
        if task.done():
            task.result()


async def _restart_all(fleet: Fleet, *orders: tuple[Restart, set[str]]) -> None:
    """The worker that is replaced first has just begun a generation, which outlives it."""
    await _generation_begun(next(m for m in fleet.members if m.command == "worker"))
    for restart, commands in orders:
        for member in sorted(fleet.members, key=lambda m: m.command, reverse=True):
            if member.command in commands:
                await restart(fleet, member)


async def _generation_begun(worker: Member) -> None:
    before = worker.process.log.count(GENERATING)
    async with asyncio.timeout(IN_TIME):
        while worker.process.log.count(GENERATING) == before:
            await asyncio.sleep(0.02)


async def _assert_all_is_as_wanted(work: Work) -> None:
    world = work.world
    assert world.slack.violations == []
    assert [m.shown_text for m in world.slack.ephemerals("alice")] == []
    sessions = await sessions_in(world.redis)
    found = {s["task_input"]: (s["stage"], len(json.loads(s["attempts"]))) for s in sessions}
    assert found == work.wanted
    assert {s["error_message"] for s in sessions} <= {"", CANCELLED}
    asked = sum(images for _, images in work.wanted.values())
    # one that is called off in time is never asked for
    assert asked - work.cancelled <= len(world.openai.creates) <= asked
    assert asked - work.cancelled <= world.openai.paid <= asked
    for scene in work.scenes:
        await _assert_posted_once(scene)


async def _assert_posted_once(scene: Scene) -> None:
    """One root, one draft for each attempt that was not cancelled, one final if it was approved."""
    (session,) = await scene.sessions()
    (root,) = scene.slack.messages(scene.channel)
    attempts = [a for a in json.loads(session["attempts"]) if a["failure"] != "cancelled"]
    shown = [m for m in scene.replies(root) if m.image_ids()]
    finals = [m for m in shown if m.reply_broadcast]
    assert len(shown) - len(finals) == len(attempts), scene.slack.describe()
    assert len(finals) == (session["stage"] == "final"), scene.slack.describe()
