"""Processes that die, and a Redis that goes away. Nothing is lost, paid twice or posted twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.sandbox import PATIENCE, SimulatedSlack
from bot.sandbox.webapi.faults import Fault
from bot.sandbox.workspace.messages import Message
from tests.fake_openai import FakeOpenAI
from tests.support.concurrent_tests import concurrent
from tests.support.processes import SHORT_LEASE, BotProcess, World
from tests.support.scene import SECONDS_TO_ACK, isolated_world
from tests.support.store import session_in, sessions_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEASE = SHORT_LEASE
TAKEN_OVER_WITHIN = 45.0
"""Seconds, on a machine that has more to do."""

Step = Callable[[World], Awaitable[object]]


async def command(world: World, prompt: str = "a fox on the moon") -> None:
    slack = world.slack
    ack = await slack.slash(slack.user("alice"), slack.channel("general"), "/imagine", prompt)
    assert ack.ok, ack


async def draft_of(world: World, timeout: float = PATIENCE) -> Message:
    """The draft, once it is there."""
    slack = world.slack
    general = slack.channel("general")
    root = await slack.wait_for_message(general, text="imagines", timeout=timeout)
    return await slack.wait_for_message(
        general, thread_ts=root.ts, button="Approve", timeout=timeout
    )


async def assert_nothing_came_twice(world: World, *, paid: int = 1) -> None:
    slack = world.slack
    general = slack.channel("general")
    (root,) = slack.messages(general)
    with_buttons = [m for m in slack.messages(general, root.ts) if m.shown_images()]
    assert len(with_buttons) == 1, with_buttons
    assert world.openai.paid == paid
    assert slack.violations == []


async def _before_the_provider_is_asked(world: World) -> None:
    world.slack.faults.add("chat.update", Fault.delay(2.0))
    world.openai.hold("request")
    await command(world)
    await world.openai.until_held()


async def _after_the_response_id(world: World) -> None:
    world.openai.hold("generating")
    await command(world)
    await world.openai.until_held()
    await until_stored(world, lambda attempt: bool(attempt["candidates"][0]["response_id"]))


async def _after_the_image_was_recorded(world: World) -> None:
    world.slack.faults.add("files.getUploadURLExternal", Fault.hang())
    await command(world)
    await until_hanging(world, "files.getUploadURLExternal")
    await until_stored(world, lambda attempt: attempt["candidates"][0]["width"] > 0)


async def _after_the_upload_was_recorded(world: World) -> None:
    world.slack.faults.add("chat.postMessage", Fault.hang(), match=lambda args: "thread_ts" in args)
    await command(world)
    await until_hanging(world, "chat.postMessage")
    await until_stored(world, lambda attempt: bool(attempt["candidates"][0]["file_id"]))


async def _after_the_root_was_posted(world: World) -> None:
    world.slack.faults.add("chat.postMessage", Fault.late(60.0))
    await command(world)
    await world.slack.wait_for_message(world.slack.channel("general"), text="imagines")


async def _after_the_draft_was_posted(world: World) -> None:
    world.slack.faults.add(
        "chat.postMessage", Fault.late(60.0), match=lambda args: "thread_ts" in args
    )
    await command(world)
    await draft_of(world)


async def until_stored(world: World, true: Callable[[dict[str, Any]], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            sessions = await sessions_in(world.redis)
            if sessions and true(json.loads(sessions[0]["attempts"])[-1]):
                return
            await asyncio.sleep(0.01)


async def until_hanging(world: World, method: str) -> None:
    """Wait until the fault has met its call: it is not left over for the next worker's."""
    await world.slack.wait_for(
        lambda: any(call.seconds is None for call in world.slack.calls_of(method)),
        what=f"{method} under way",
    )


KILLED: dict[str, Step] = {
    "before the provider is asked": _before_the_provider_is_asked,
    "after the response id was recorded": _after_the_response_id,
    "after the image was recorded": _after_the_image_was_recorded,
    "after the upload was recorded": _after_the_upload_was_recorded,
    "after the root message was posted": _after_the_root_was_posted,
    "after the draft was posted": _after_the_draft_was_posted,
}


async def _kill_at(step: Step, folder: Path, starting: asyncio.Semaphore) -> float:
    """Kill the worker there, and answer the seconds until another one's draft is usable."""
    async with isolated_world(folder, JOB_LEASE=str(LEASE)) as world:
        async with starting:
            await world.run("web")
            worker = await world.run("worker")
        await step(world)
        await world.run("worker")  # idle: the first one has the job
        await worker.kill()
        killed = time.monotonic()
        world.openai.release()
        draft = await draft_of(world, timeout=TAKEN_OVER_WITHIN)
        await until_stage(world, "user_feedback", timeout=TAKEN_OVER_WITHIN)
        seconds = time.monotonic() - killed
        await assert_nothing_came_twice(world)
        await world.slack.click(world.slack.user("alice"), draft, "Approve")
        await world.slack.wait_for_message(
            world.slack.channel("general"), thread_ts=draft.thread_ts, button="Start over"
        )
        return seconds


async def until_stage(world: World, stage: str, timeout: float = PATIENCE) -> None:
    async with asyncio.timeout(timeout):
        while (await session_in(world.redis))["stage"] != stage:
            await asyncio.sleep(0.02)


async def test_a_worker_killed_at_any_recorded_step_is_replaced(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    starting = asyncio.Semaphore(2)  # all at once, none would be ready soon
    seconds = await asyncio.gather(
        *(_kill_at(step, tmp_path / str(n), starting) for n, step in enumerate(KILLED.values()))
    )
    for name, took in zip(KILLED, seconds, strict=True):
        record_property(f"seconds from kill -9 to the draft, {name}", round(took, 1))
        assert took < TAKEN_OVER_WITHIN, name  # nothing else would take the job over at all


@concurrent
async def test_web_killed_right_after_the_stage_moved(tmp_path: Path) -> None:
    """Web dies between the compare-and-set and the job: the sweeper queues it."""
    async with isolated_world(tmp_path) as world:
        web = await world.run("web")
        slack = world.slack
        sending = asyncio.create_task(command(world))
        await _until_session(world)
        await web.kill()
        await asyncio.gather(sending, return_exceptions=True)
        await world.run("worker")
        await draft_of(world, 2 * PATIENCE)  # once it was swept
        await assert_nothing_came_twice(world)
        assert slack.violations == []


async def _until_session(world: World) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await sessions_in(world.redis):
            await asyncio.sleep(0)


@concurrent
async def test_approval_survives_when_the_worker_is_away(tmp_path: Path) -> None:
    """The click is kept by web alone; the channel gets the image when a worker is there again."""
    async with isolated_world(tmp_path) as world:
        await world.run("web")
        worker = await world.run("worker")
        await command(world)
        draft = await draft_of(world)
        await until_stage(world, "user_feedback")
        assert await worker.stop() == 0
        assert (await world.slack.click(world.slack.user("alice"), draft, "Approve")).ok
        assert (await session_in(world.redis))["stage"] == "final"
        await world.run("worker")
        await world.slack.wait_for_message(
            world.slack.channel("general"), thread_ts=draft.thread_ts, button="Start over"
        )


@concurrent
async def test_redis_away_when_a_command_comes_in(tmp_path: Path) -> None:
    """Acked in time and told to try again; what was typed does not start by itself later."""
    async with isolated_world(tmp_path) as world:
        await world.run("dev")
        slack = world.slack
        alice, general = slack.user("alice"), slack.channel("general")
        with frozen(world):
            ack = await slack.slash(alice, general, "/imagine", "a lost prompt")
            assert ack.ok
            assert ack.seconds < SECONDS_TO_ACK
            assert "try again" in str(ack.body)
        await asyncio.sleep(8)
        assert slack.messages(general) == []
        assert world.openai.creates == []
        await command(world, "once more")
        await draft_of(world)


@concurrent
async def test_redis_away_for_five_seconds_while_the_image_is_made(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("dev")
        world.openai.hold("generating")
        await command(world)
        await world.openai.until_held()
        await asyncio.sleep(1)
        with frozen(world):
            world.openai.release()
            await asyncio.sleep(5)
        draft = await draft_of(world, timeout=TAKEN_OVER_WITHIN)
        assert draft.shown_images()
        await until_stage(world, "user_feedback")
        await assert_nothing_came_twice(world)


class frozen:  # noqa: N801 - used as a function
    """Redis takes connections and answers nothing."""

    def __init__(self, world: World) -> None:
        assert world.redis_pid
        self._pid = world.redis_pid

    def __enter__(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGCONT)


@concurrent
async def test_sigterm_lets_a_running_job_finish(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("web")
        worker = await world.run("worker")
        world.openai.latency = 2.0
        await command(world)
        await world.openai.until(lambda: world.openai.in_flight)
        assert await worker.stop(signal.SIGTERM) == 0
        assert (await session_in(world.redis))["stage"] == "user_feedback"
        await assert_nothing_came_twice(world)


@concurrent
async def test_sigterm_hands_a_long_job_back(tmp_path: Path) -> None:
    """Another worker has it within seconds, without waiting for the lease, and nothing is paid
    twice."""
    async with isolated_world(tmp_path) as world:
        await world.run("web")
        worker = await world.run("worker", SHUTDOWN_GRACE="1")
        world.openai.hold("generating")
        await command(world)
        await world.openai.until_held()
        await until_stored(world, lambda attempt: bool(attempt["candidates"][0]["response_id"]))
        await world.run("worker")  # idle: the first one has the job
        assert await worker.stop(signal.SIGTERM) == 0
        stopped = time.monotonic()
        world.openai.release()
        await draft_of(world)
        assert time.monotonic() - stopped < 7.5  # half of the lease
        await assert_nothing_came_twice(world)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_web_answers_what_it_has_received_before_it_stops(tmp_path: Path, mode: str) -> None:
    async with isolated_world(tmp_path, mode) as world:
        web = await world.run("web")
        sending = asyncio.create_task(command(world))
        await _until_session(world)
        assert await web.stop(signal.SIGTERM) == 0
        await sending


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
async def test_dev_keeps_everything_in_its_folder(tmp_path: Path, ending: signal.Signals) -> None:
    """With no Redis given, `dev` brings its own, and goes on where it was stopped or killed."""
    async with (
        SimulatedSlack() as slack,
        FakeOpenAI() as openai,
        World(slack, openai, "", tmp_path, "socket") as world,
    ):
        dev = await world.run("dev")
        await command(world)
        draft = await draft_of(world)
        await slack.wait_for(lambda: "Waiting for review" in root_text(world), what="the status")
        await _written_out(tmp_path)
        code = await dev.stop(ending)
        assert code == (0 if ending is signal.SIGINT else -signal.SIGKILL)
        if ending is signal.SIGINT:
            assert not leftover_servers(tmp_path)

        await world.run("dev")
        assert (await slack.click(slack.user("alice"), draft, "Approve")).ok
        await slack.wait_for_message(
            slack.channel("general"), thread_ts=draft.thread_ts, button="Start over"
        )
        await stop_all(world.processes)
    assert not leftover_servers(tmp_path)


async def _written_out(folder: Path) -> None:
    """Wait until all is on disk that `dev` has kept so far."""
    async with Redis.from_url(EmbeddedRedis(folder / ".imagine-bot").url) as redis:
        await redis.set("written after all that", 1)
        written: Any = await redis.waitaof(1, 0, round(PATIENCE * 1000))
        assert written[0] == 1


def root_text(world: World) -> str:
    (root,) = world.slack.messages(world.slack.channel("general"))
    return str(root.blocks)


async def stop_all(processes: list[BotProcess]) -> None:
    for process in processes:
        if process.returncode is None:
            assert await process.stop(signal.SIGTERM) == 0


def leftover_servers(folder: Path) -> list[int]:
    """The process ids of servers that still work on that folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            continue
        if entry.name.isdigit() and "valkey-server" in line and str(folder) in line:
            found.append(int(entry.name))
    return found
