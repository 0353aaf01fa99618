"""Slack refuses the whole app: nothing more is paid for, and all goes on once it is let in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from bot.sandbox import Fault
from tests.support.processes import HastyProcess, World, free_port
from tests.support.scene import Scene, isolated_world, new_scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with isolated_world(tmp_path_factory.mktemp("world"), request.param) as world:
        world.process = HastyProcess
        for command in ("web", "worker", "worker"):
            port = free_port()
            await world.run(command, WORKER_CONCURRENCY="2", HEALTH_PORT=str(port))
        yield world


async def ready(world: World) -> list[int]:
    """What each process answers at `/readyz`."""
    ports = [process.environment["HEALTH_PORT"] for process in world.processes]
    async with aiohttp.ClientSession() as http:
        answers = [await http.get(f"http://127.0.0.1:{port}/readyz") for port in ports]
        return [answer.status for answer in answers]


@pytest_asyncio.fixture(loop_scope="module")
async def scene(running: World) -> Scene:
    return new_scene(running)


async def test_what_is_not_asked_for_yet_is_not_paid_until_slack_lets_the_app_in(
    scene: Scene,
) -> None:
    scene.openai.latency = 0.6
    for number in range(12):
        await scene.imagine(f"fox number {number}")
    await asyncio.sleep(1.0)
    scene.slack.block_app("org_login_required")
    began = scene.openai.paid
    told = await scene.told("Slack does not let this app in")
    assert "invite" not in told.shown_text
    assert "another channel" not in told.shown_text
    await asyncio.sleep(3.0)
    assert scene.openai.paid <= began + 4  # what two workers had under way, two each
    held_at = scene.openai.paid
    assert await ready(scene.world) == [200, 503, 503]
    scene.slack.let_in()
    for number in range(12):
        root = await scene.root_of(f"fox number {number}")
        await scene.slack.wait_for_message(
            scene.channel, thread_ts=root.ts, button="Approve", timeout=90
        )
    assert scene.openai.paid == 12 > held_at


async def test_a_good_auth_test_alone_pays_for_nothing(scene: Scene) -> None:
    """The workers ask again and again, and what shows an image is refused all the same."""
    scene.openai.hold("generating")
    for number in range(10):
        await scene.imagine(f"hare number {number}")
    await scene.openai.until_held(4)
    shown = ("chat.postMessage", "chat.update", "files.getUploadURLExternal")
    scene.slack.block_app("token_revoked", *shown)
    scene.openai.release()
    while await ready(scene.world) != [200, 503, 503]:
        await asyncio.sleep(0.05)
    begun = len(scene.openai.creates)  # a slot is free a moment before Slack refuses the image
    assert begun <= 8
    asked = len(scene.slack.calls_of("auth.test"))
    await scene.slack.wait_for(
        lambda: len(scene.slack.calls_of("auth.test")) > asked + 3, 60, "auth.test, again and again"
    )
    assert len(scene.openai.creates) == begun
    scene.slack.let_in()
    for number in range(10):
        root = await scene.root_of(f"hare number {number}")
        await scene.slack.wait_for_message(
            scene.channel, thread_ts=root.ts, button="Approve", timeout=90
        )
    assert scene.openai.paid == len(scene.openai.creates) == 10


async def test_a_regeneration_whose_status_is_refused_is_not_paid(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    refused, root = Fault(error="message_not_found"), draft.thread_ts
    on_root = "chat.update", refused, 1000, lambda args: args["ts"] == root
    scene.slack.faults.add(*on_root)
    await scene.click(draft, "Regenerate")
    failure = await scene.failure(after=draft)
    scene.slack.faults.clear()
    assert scene.openai.paid == 1
    await scene.click(failure, "Try again")
    await scene.slack.wait_for_message(
        scene.channel, thread_ts=draft.thread_ts, button="Approve", after=failure
    )
    assert scene.openai.paid == 2
