"""Many people at once in one channel, where Slack limits the messages: nobody tries in vain, and
nobody looks for a message that was only late."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.sandbox import Message
from tests.support.concurrent_tests import concurrent
from tests.support.scene import Scene, isolated_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE = 6
PER_SECOND = 4


@concurrent
async def test_a_crowd_in_one_channel_posts_when_it_is_its_turn(tmp_path: Path) -> None:
    await _post_in_turn(tmp_path, 1)


@concurrent
async def test_a_crowd_in_one_channel_posts_in_turn_by_two_processes_each(tmp_path: Path) -> None:
    await _post_in_turn(tmp_path, 2)


async def _post_in_turn(tmp_path: Path, processes: int) -> None:
    settings = {"SLACK_MESSAGES_PER_SECOND": str(PER_SECOND)}
    async with isolated_world(tmp_path, **settings) as world:
        await asyncio.gather(*(world.run(c) for c in ["web", "worker"] * processes))
        world.slack.rate_limit("chat.postMessage", PER_SECOND)
        scene = Scene(world)
        await asyncio.gather(*(scene.imagine(f"fox number {n}") for n in range(PEOPLE)))
        await scene.slack.wait_for(lambda: len(drafts(scene)) == PEOPLE, what="all drafts")
        calls = scene.slack.calls_of("chat.postMessage")
        assert len(calls) <= 2.1 * PEOPLE
        assert not scene.slack.calls_of("conversations.history")
        assert not scene.slack.calls_of("conversations.replies")
        times = [call.at for call in calls]
        assert max(times) - min(times) >= (2 * PEOPLE - 1) / PER_SECOND * 0.9
        roots = scene.slack.messages(scene.channel)
        assert len(roots) == PEOPLE
        for root in roots:
            await scene.shows(root, "Waiting for")


@concurrent
async def test_who_has_to_wait_is_told_so_with_the_ack(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, SLACK_MESSAGES_PER_SECOND="0.5") as world:
        await asyncio.gather(*(world.run(command) for command in ("web", "worker")))
        scene = Scene(world)
        acks = [await scene.imagine(f"fox number {n}") for n in range(4)]
        assert not acks[0].body
        assert "ahead in this channel" in str(acks[3].body)


def drafts(scene: Scene) -> list[Message]:
    return [message for message in scene.everything() if "Approve" in str(message.buttons())]
