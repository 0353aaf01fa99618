"""A picture that its worker does not survive is given up on; what was only beside it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox import Ack, Message
from tests.support import fragile_child
from tests.support.concurrent_tests import concurrent
from tests.support.fragile import DEADLY, SLOW
from tests.support.processes import SHORT_LEASE, BotProcess, World
from tests.support.samples import png
from tests.support.scene import Scene, isolated_world, new_scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOST_WITHIN = 90.0
"""Seconds: a lost worker's jobs are its own until their lease ends, here twice."""


class FragileProcess(BotProcess):
    @property
    def arguments(self) -> tuple[str, ...]:
        return ("tests.support.fragile", self.command)


@asynccontextmanager
async def world_with_web(tmp_path: Path) -> AsyncIterator[World]:
    async with isolated_world(tmp_path, JOB_LEASE=str(SHORT_LEASE)) as world:
        await world.run("web")
        yield world


async def fragile_worker(world: World) -> BotProcess:
    environment = {**world.environment, "SHUTDOWN_GRACE": "0"}
    process = FragileProcess("worker", environment, world.folder)
    world.processes.append(process)
    return await process.start()


async def died(worker: BotProcess) -> None:
    async with asyncio.timeout(LOST_WITHIN):
        assert await worker._process.wait() == -9  # type: ignore[union-attr]


async def mention(scene: Scene, words: str, size: tuple[int, int], *, bob: bool = False) -> Ack:
    who = scene.bob if bob else scene.alice
    return await scene.slack.mention(who, scene.channel, words, files=[("picture.png", png(*size))])


async def root_of(scene: Scene, words: str) -> Message:
    """What the bot says of it, not what the person said."""
    return await scene.slack.wait_for_message(
        scene.channel, text="imagines", where=lambda message: words in message.shown_text
    )


@concurrent
async def test_a_picture_that_two_workers_were_lost_with_fails_and_edit_prompt_goes_without(
    tmp_path: Path,
) -> None:
    async with world_with_web(tmp_path) as world:
        scene, slack = new_scene(world), world.slack
        await mention(scene, "deadly night", DEADLY)
        await mention(scene, "harmless snow", (40, 30), bob=True)
        for _ in range(2):
            await died(await fragile_worker(world))
        worker = await fragile_worker(world)
        deadly = await root_of(scene, "deadly night")
        failure = await slack.wait_for_message(
            scene.channel, thread_ts=deadly.ts, button="Edit prompt", timeout=LOST_WITHIN
        )
        assert failure.buttons() == ["✏️ Edit prompt"]
        assert "Twice I was stopped" in failure.shown_text
        assert world.openai.paid <= 1
        harmless = await root_of(scene, "harmless snow")
        await slack.wait_for_message(scene.channel, thread_ts=harmless.ts, button="Approve")
        # nobody reads it again
        await scene.click(failure, "Edit prompt")
        await scene.form()
        assert (await slack.submit(scene.alice, {"prompt": "a night without a picture"})).ok
        draft = await slack.wait_for_message(scene.channel, thread_ts=deadly.ts, button="Approve")
        assert "a night without a picture" in draft.shown_text
        assert world.openai.creates[-1].body["input"] == "a night without a picture"
        assert worker.returncode is None
        assert slack.violations == []


@concurrent
async def test_a_child_that_is_killed_fails_its_picture_in_words_and_nothing_else(
    tmp_path: Path,
) -> None:
    await _only_the_child_dies(tmp_path, fragile_child.KILLED)


@concurrent
async def test_a_child_that_breaks_fails_its_picture_in_words_and_nothing_else(
    tmp_path: Path,
) -> None:
    await _only_the_child_dies(tmp_path, fragile_child.SEGFAULT)


async def _only_the_child_dies(tmp_path: Path, deadly: tuple[int, int]) -> None:
    async with world_with_web(tmp_path) as world:
        scene, slack = new_scene(world), world.slack
        worker = await fragile_worker(world)
        await mention(scene, "deadly night", deadly)
        await mention(scene, "harmless snow", (40, 30), bob=True)
        root = await root_of(scene, "deadly night")
        failure = await slack.wait_for_message(
            scene.channel, thread_ts=root.ts, button="Edit prompt"
        )
        assert "I stopped reading the picture" in failure.shown_text
        harmless = await root_of(scene, "harmless snow")
        await slack.wait_for_message(scene.channel, thread_ts=harmless.ts, button="Approve")
        assert worker.returncode is None
        assert world.openai.paid == 1


@concurrent
async def test_workers_that_are_told_to_stop_are_not_lost(tmp_path: Path) -> None:
    async with world_with_web(tmp_path) as world:
        scene = new_scene(world)
        await mention(scene, "slow morning", SLOW)
        for _ in range(3):
            worker = await fragile_worker(world)
            await worker.wait_for_line("reads slowly")
            assert await worker.stop() == 0
            assert [key async for key in world.redis.scan_iter("*:readers")] == []
        await fragile_worker(world)
        draft = await scene.draft()
        assert "slow morning" in draft.shown_text
