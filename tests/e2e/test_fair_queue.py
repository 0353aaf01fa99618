"""Several people's images, several workers: whose is next, and how many calls the provider gets."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.sandbox import PATIENCE, Fault
from bot.sandbox.workspace.messages import Message
from tests.fake_openai import moderation_400, rate_limited, success
from tests.support.concurrent_tests import concurrent
from tests.support.processes import SHORT_LEASE, World
from tests.support.scene import isolated_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

_LONGEST = 45.0
"""Seconds, on a machine that has more to do."""


async def imagine(world: World, who: str, idea: str) -> Message:
    """The command; answers the root message."""
    slack = world.slack
    general = slack.channel("general")
    ack = await slack.slash(slack.user(who), general, "/imagine", idea)
    assert ack.ok
    assert not ack.body
    return await slack.wait_for_message(
        general,
        text="imagines",
        where=lambda message: idea in message.shown_text,
        timeout=_LONGEST,
    )


async def draft(world: World, root: Message) -> Message:
    general = world.slack.channel("general")
    return await world.slack.wait_for_message(
        general, thread_ts=root.ts, button="Approve", timeout=_LONGEST
    )


async def slots(world: World) -> list[str]:
    async with Redis.from_url(world.redis_url, decode_responses=True) as redis:
        return [str(key) async for key in redis.scan_iter("{imagine}:provider:slot:*")]


@asynccontextmanager
async def one_at_a_time(folder: Path) -> AsyncIterator[World]:
    """A web and a worker that make one image at a time, and one of each person."""
    settings = {"USER_IMAGES_AT_ONCE": "1", "WORKER_CONCURRENCY": "1"}
    async with isolated_world(folder, **settings) as world:
        await world.run("web")
        await world.run("worker")
        yield world


@concurrent
async def test_who_comes_later_is_shown_and_has_the_place_before_the_rest_of_many(
    tmp_path: Path,
) -> None:
    settings = {"WORKER_CONCURRENCY": "1", "USER_IMAGES_AT_ONCE": "2"}
    async with isolated_world(tmp_path, **settings) as world:
        await world.run("web")
        await world.run("worker")
        world.openai.hold("generating")
        await imagine(world, "alice", "fox 0")
        await world.openai.until_held(1, _LONGEST)
        many = [await imagine(world, "alice", f"fox {n}") for n in range(1, 5)]
        assert "3 ahead" in many[-1].shown_text
        other = await imagine(world, "bob", "a whale")
        assert "ahead" not in other.shown_text
        world.openai.release()
        await draft(world, other)
        await draft(world, many[-1])
        prompts = [made.prompt for made in world.openai.made]
        assert "a whale" in prompts[1]


@concurrent
async def test_a_killed_worker_gives_the_provider_free_for_others(tmp_path: Path) -> None:
    settings = {"PROVIDER_CONCURRENCY": "2", "JOB_LEASE": str(SHORT_LEASE)}
    async with isolated_world(tmp_path, **settings) as world:
        await world.run("web")
        workers = [await world.run("worker") for _ in range(2)]
        world.openai.hold("generating")
        for who in ("alice", "bob"):
            for n in range(2):
                await imagine(world, who, f"{who} {n}")
        await world.openai.until_held(2, _LONGEST)
        await asyncio.sleep(1.0)
        assert len(world.openai.creates) == 2
        await workers[0].kill()
        world.openai.release()
        general = world.slack.channel("general")
        for root in world.slack.messages(general):
            await draft(world, root)
        assert await workers[1].stop(signal.SIGTERM) == 0
        assert len(await slots(world)) <= 1  # that of the killed one, until its lease ends
        async with asyncio.timeout(PATIENCE + SHORT_LEASE):
            while await slots(world):
                await asyncio.sleep(0.1)


@concurrent
async def test_a_429_keeps_the_other_worker_from_calling(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, WORKER_CONCURRENCY="1") as world:
        await world.run("web")
        for _ in range(2):
            await world.run("worker")
        world.openai.script(rate_limited(retry_after=4.0), success(), success())
        first = await imagine(world, "alice", "a fox")
        await world.openai.until(lambda: len(world.openai.creates) == 1, _LONGEST)
        await asyncio.sleep(0.5)
        other = await imagine(world, "bob", "a whale")
        await draft(world, other)
        await draft(world, first)
        refused, *later = [call.at for call in world.openai.creates]
        assert len(later) == 2
        assert min(later) - refused >= 3.8


@concurrent
async def test_one_too_many_is_told_in_private_with_a_cancel_that_works(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, USER_IMAGES_WAITING="2") as world:
        await world.run("web")
        slack, alice = world.slack, world.slack.user("alice")
        general = slack.channel("general")
        for n in range(2):
            assert not (await slack.slash(alice, general, "/imagine", f"fox {n}")).body
        ack = await slack.slash(alice, general, "/imagine", "one more")
        assert ack.ok
        (told,) = [m for m in slack.workspace.log if m.ephemeral_to == alice.id]
        assert "2 images of yours wait already" in told.text
        assert [label for label in told.buttons() if "Cancel" in label] == ["🛑 Cancel"] * 2
        pressed = await slack.click(alice, told, block_id=told.blocks[1]["block_id"])
        assert pressed.ok
        await slack.workspace.changes.until(
            lambda: any("Cancelled: “fox 1”" in m.text for m in slack.workspace.log), PATIENCE
        )
        assert not (await slack.slash(alice, general, "/imagine", "one more")).body
        assert slack.violations == []


async def test_a_status_that_waits_for_slack_holds_up_no_other_image(tmp_path: Path) -> None:
    async with one_at_a_time(tmp_path) as world:
        world.slack.faults.add("chat.update", Fault.rate_limited(600))
        roots = [await imagine(world, "alice", f"fox {n}") for n in range(4)]
        for root in [*roots, await imagine(world, "bob", "a whale")]:
            await draft(world, root)
        assert "Waiting for" not in str([root.shown_text for root in roots])


async def test_earlier_drafts_that_wait_for_their_buttons_hold_up_no_other_image(
    tmp_path: Path,
) -> None:
    async with one_at_a_time(tmp_path) as world:
        first = await imagine(world, "alice", "a fox")
        posted = await draft(world, first)
        await world.slack.wait_for(lambda: "Waiting for" in first.shown_text, what="the status")
        world.slack.faults.add("chat.update", Fault.rate_limited(600))
        await world.slack.click(world.slack.user("alice"), posted, "Regenerate")
        await world.slack.wait_for_message(
            world.slack.channel("general"), thread_ts=first.ts, text="attempt 2", timeout=_LONGEST
        )
        await draft(world, await imagine(world, "alice", "a whale"))


async def test_a_failure_whose_status_waits_for_slack_holds_up_no_other_image(
    tmp_path: Path,
) -> None:
    async with one_at_a_time(tmp_path) as world:
        world.openai.script(moderation_400(), success())
        world.slack.faults.add("chat.update", Fault.rate_limited(600))
        failed = await imagine(world, "alice", "a fox")
        await draft(world, await imagine(world, "alice", "a whale"))
        assert "Failed" not in failed.shown_text
