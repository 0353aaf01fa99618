"""A worker is killed while an attempt has several images to make. The others are made once each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.webapi.faults import Fault
from tests.e2e.test_crashes import (
    LEASE,
    TAKEN_OVER_WITHIN,
    Step,
    assert_nothing_came_twice,
    command,
    draft_of,
    until_hanging,
    until_stage,
    until_stored,
)
from tests.fake_openai import held, success
from tests.support.concurrent_tests import concurrent
from tests.support.processes import BotProcess, World
from tests.support.scene import isolated_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@concurrent
async def test_a_worker_killed_between_two_candidates_pays_for_the_missing_one_alone(
    tmp_path: Path,
) -> None:
    """Without background mode: what was not recorded has to be asked for again."""
    async with isolated_world(tmp_path, JOB_LEASE=str(LEASE)) as world:
        await world.run("web")
        worker = await world.run("worker", OPENAI_BACKGROUND="false")
        world.openai.script(success(), held("request"), success())
        await command(world, "a fox on the moon --n 3")
        await world.openai.until_held()
        await until_stored(world, lambda attempt: _images(attempt) == 2)
        await world.run("worker", OPENAI_BACKGROUND="false")
        await worker.kill()
        world.openai.release()
        draft = await draft_of(world, timeout=TAKEN_OVER_WITHIN)
        assert len(draft.shown_images()) == 3
        assert None not in draft.shown_images()
        assert len(world.openai.creates) == 4
        assert world.openai.paid == 3
        assert world.slack.violations == []


async def _three_images_by_two_workers(world: World) -> BotProcess:
    """The worker that still makes one of three images. It takes one at a time; another worker has
    made the others."""
    await world.run("web")
    worker = await world.run("worker", WORKER_CONCURRENCY="1")
    world.openai.script(held("generating"), success(), success())
    await command(world, "a fox on the moon --n 3")
    await world.openai.until_held()
    await world.run("worker")
    await until_stored(world, lambda attempt: _images(attempt) == 2 and _has_all_ids(attempt))
    return worker


async def _killed_while_it_makes_one_image(world: World) -> None:
    worker = await _three_images_by_two_workers(world)
    await worker.kill()
    world.openai.release()


async def _killed_before_all_images_are_uploaded(world: World) -> None:
    worker = await _three_images_by_two_workers(world)
    world.slack.faults.add("files.getUploadURLExternal", Fault.hang())
    world.openai.release()
    await until_stored(world, lambda attempt: _uploads(attempt) == 2)
    await worker.kill()


async def _killed_before_the_draft_is_posted(world: World) -> None:
    worker = await _three_images_by_two_workers(world)
    world.slack.faults.add("chat.postMessage", Fault.hang(), match=lambda args: "thread_ts" in args)
    world.openai.release()
    await until_stored(world, lambda attempt: _uploads(attempt) == 3)
    await until_hanging(world, "chat.postMessage")
    await worker.kill()


KILLED_WITH_ONE_OF_THREE: list[Step] = [
    _killed_while_it_makes_one_image,
    _killed_before_all_images_are_uploaded,
    _killed_before_the_draft_is_posted,
]


@concurrent
async def test_of_two_workers_that_make_three_images_one_is_killed(tmp_path: Path) -> None:
    """The other one brings the draft of all three; none is paid for twice."""
    starting = asyncio.Semaphore(2)

    async def kill(step: Step, folder: Path) -> None:
        async with isolated_world(folder, JOB_LEASE=str(LEASE)) as world:
            async with starting:
                await step(world)
            draft = await draft_of(world, timeout=TAKEN_OVER_WITHIN)
            await until_stage(world, "user_feedback", timeout=TAKEN_OVER_WITHIN)
            assert len(draft.shown_images()) == 3
            assert len(world.openai.creates) == 3
            await assert_nothing_came_twice(world, paid=3)

    await asyncio.gather(
        *(kill(step, tmp_path / str(n)) for n, step in enumerate(KILLED_WITH_ONE_OF_THREE))
    )


def _images(attempt: dict[str, Any]) -> int:
    return sum(candidate["width"] > 0 for candidate in attempt["candidates"])


def _uploads(attempt: dict[str, Any]) -> int:
    return sum(bool(candidate["file_id"]) for candidate in attempt["candidates"])


def _has_all_ids(attempt: dict[str, Any]) -> bool:
    return all(candidate["response_id"] for candidate in attempt["candidates"])
