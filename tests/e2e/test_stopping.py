"""SIGTERM at moments that an operator does not choose."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections import defaultdict
from pathlib import Path

import aiohttp
import pytest

from bot.ops.shutdown import SAME_SIGNAL_WITHIN
from bot.sandbox import Fault
from tests.support.concurrent_tests import concurrent
from tests.support.processes import BotProcess, World, free_port
from tests.support.scene import isolated_world
from tests.support.store import sessions_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMAGES = 10
LONG = "600"
"""Seconds that no test waits for."""
WITHIN = 60.0
_STATUS = re.compile(r"(?P<step>Queued|Generating|Uploading|Waiting for review)[^0-9\n]*(\d+)?")
_STEPS = ["Queued", "Generating", "Uploading", "Waiting for review"]


async def imagine(world: World, *texts: str) -> None:
    slack = world.slack
    for text in texts:
        ack = await slack.slash(slack.user("alice"), slack.channel("general"), "/imagine", text)
        assert ack.ok, ack


async def under_way(world: World, number: int) -> None:
    """So many images are being made, and each can be gone on with."""
    await world.openai.until_held(number, timeout=WITHIN)
    async with asyncio.timeout(WITHIN):
        while True:
            stored = await sessions_in(world.redis)
            if sum("resp_" in session["attempts"] for session in stored) == number:
                return
            await asyncio.sleep(0.02)


async def drafts(world: World, number: int) -> None:
    slack = world.slack
    general = slack.channel("general")

    def there() -> bool:
        roots = slack.messages(general)
        return sum("Waiting for review" in root.shown_text for root in roots) == number

    await slack.wait_for(there, timeout=WITHIN, what=f"{number} drafts")


@concurrent
async def test_ten_generations_go_on_elsewhere_when_their_worker_is_stopped(tmp_path: Path) -> None:
    """At once, paid for once, and for people as if nothing had been."""
    async with isolated_world(tmp_path) as world:
        world.settings["USER_IMAGES_AT_ONCE"] = "0"
        await world.run("web")
        first = await world.run("worker", SHUTDOWN_GRACE="1")
        world.openai.hold("generating")
        await imagine(world, *(f"picture {n}" for n in range(IMAGES)))
        await under_way(world, IMAGES)
        second = await world.run("worker")
        assert await first.stop(signal.SIGTERM) == 0
        world.openai.release()
        await drafts(world, IMAGES)
        assert first.log.count("was handed back") == IMAGES
        assert "lost its worker" not in second.log
        assert len(world.openai.creates) == world.openai.paid == IMAGES
        assert world.slack.violations == []
        _assert_no_status_went_back(world)


def _assert_no_status_went_back(world: World) -> None:
    """Step and seconds only grow, in every root message."""
    shown: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for call in world.slack.calls_of("chat.update"):
        if found := _STATUS.search(str(call.args["text"])):
            seconds = int(found[2] or 0) if found["step"] == "Generating" else 0
            shown[call.args["ts"]].append((_STEPS.index(found["step"]), seconds))
    assert len(shown) == IMAGES
    for states in shown.values():
        assert states == sorted(states)


@concurrent
async def test_a_second_signal_hands_back_at_once(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("web")
        worker = await world.run("worker", SHUTDOWN_GRACE=LONG)
        world.openai.hold("generating")
        await imagine(world, "a fox")
        await under_way(world, 1)
        assert await _stop_twice(worker) == 0
        assert "was handed back" in worker.log
        await world.run("worker")
        world.openai.release()
        await drafts(world, 1)
        assert len(world.openai.creates) == world.openai.paid == 1


async def _stop_twice(process: BotProcess, second: int = signal.SIGINT) -> int:
    """Two signals, far enough apart to be two; the exit code."""
    process.send(signal.SIGTERM)
    await process.wait_for_line("stopping")
    await asyncio.sleep(SAME_SIGNAL_WITHIN)
    while process.returncode is None and "stopping at once" not in process.log:
        process.send(second)
        await asyncio.sleep(0.1)
    return await process.stop(second, timeout=WITHIN)


async def _answer(port: int, path: str) -> tuple[int, str, str]:
    """Status, body, and what is said of the connection."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text(), response.headers.get("Connection", "")


@concurrent
async def test_web_serves_on_as_not_ready_until_it_has_drained(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, "http") as world:
        web = await world.run("web", DRAIN_SECONDS=LONG)
        assert (await _answer(world.port, "/readyz"))[0] == 200
        web.send(signal.SIGTERM)
        await web.wait_for_line("stopping")
        status, body, connection = await _answer(world.port, "/readyz")
        assert (status, "stopping" in body, connection) == (503, True, "close")
        assert (await _answer(world.port, "/healthz"))[0] == 200
        await imagine(world, "asked of one that is leaving")
        assert len(await sessions_in(world.redis)) == 1
        assert await _stop_twice(web) == 0


@concurrent
async def test_web_ends_by_itself_once_it_has_drained(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, "http") as world:
        web = await world.run("web", DRAIN_SECONDS="1")
        started = time.monotonic()
        assert await web.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started >= 1


@pytest.mark.parametrize("command", ["web", "worker"])
async def test_sigterm_while_slack_does_not_answer_at_the_start(
    tmp_path: Path, command: str
) -> None:
    async with isolated_world(tmp_path) as world:
        world.slack.faults.add("auth.test", Fault.hang(), times=50)
        process, starting = _starting(world, command)
        await world.slack.wait_for(lambda: world.slack.calls_of("auth.test"))
        started = time.monotonic()
        assert await process.stop(signal.SIGTERM, timeout=WITHIN) == 0
        assert time.monotonic() - started < 8
        await asyncio.gather(starting, return_exceptions=True)


@concurrent
async def test_sigterm_while_slack_gives_no_socket(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        world.slack.faults.add("apps.connections.open", Fault.hang(), times=50)
        process, starting = _starting(world, "web")
        await world.slack.wait_for(lambda: world.slack.calls_of("apps.connections.open"))
        assert await process.stop(signal.SIGTERM, timeout=WITHIN) == 0
        await asyncio.gather(starting, return_exceptions=True)


@concurrent
async def test_sigterm_while_redis_is_away_at_the_start(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        environment = {**world.environment, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
        process = BotProcess("worker", environment, world.folder)
        world.processes.append(process)
        await process.start(until="waiting")
        assert await process.stop(signal.SIGTERM, timeout=WITHIN) == 0


@pytest.mark.parametrize("command", ["web", "worker"])
async def test_sigterm_between_connecting_and_ready(tmp_path: Path, command: str) -> None:
    """As early as the program hears of it."""
    async with isolated_world(tmp_path) as world:
        process, starting = _starting(world, command)
        await world.slack.wait_for(lambda: world.slack.calls_of("auth.test"))
        assert await process.stop(signal.SIGTERM, timeout=WITHIN) == 0
        await asyncio.gather(starting, return_exceptions=True)
        assert "Traceback" not in process.log


def _starting(world: World, command: str) -> tuple[BotProcess, asyncio.Task[BotProcess]]:
    process = BotProcess(command, world.environment, world.folder)
    world.processes.append(process)
    return process, asyncio.create_task(process.start(until="stopped"))
