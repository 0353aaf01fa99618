"""How fast people are answered while the program is busy."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable

from bot.sandbox import PATIENCE
from tests.support.processes import World
from tests.support.scene import SECONDS_TO_ACK

COMMANDS = 80
GENERATING = 25
AT_ONCE = 10
"""Commands under way, so that a machine that takes fewer than fifty a second is not swamped."""


async def test_commands_are_acked_in_time_while_many_images_are_made(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    unlimited = dict.fromkeys(("USER_IMAGES_AT_ONCE", "USER_IMAGES_WAITING"), "0")
    await world.run("web", **unlimited, USER_IMAGES_PER_DAY="0")
    settings = {"WORKER_CONCURRENCY": str(GENERATING), "LOG_LEVEL": "INFO"}
    await world.run("worker", **unlimited, **settings)
    slack, openai = world.slack, world.openai
    alice, general, design = slack.user("alice"), slack.channel("general"), slack.channel("design")
    openai.hold("generating")
    for n in range(GENERATING):
        assert (await slack.slash(alice, design, "/imagine", f"busy {n}", timeout=PATIENCE)).ok
    await openai.until_held(GENERATING, timeout=2 * PATIENCE)

    at_once = asyncio.Semaphore(AT_ONCE)

    async def command(n: int) -> float:
        await asyncio.sleep(n * 0.02)
        async with at_once:
            ack = await slack.slash(alice, general, "/imagine", f"picture {n}")
        assert ack.ok, ack
        return ack.seconds

    seconds = await asyncio.gather(*(command(n) for n in range(COMMANDS)))
    cuts = statistics.quantiles(seconds, n=100)
    p50, p99 = round(cuts[49] * 1000), round(cuts[98] * 1000)
    record_property("ack p50 ms", p50)
    record_property("ack p99 ms", p99)
    print(f"{world.mode}: ack p50 {p50} ms, p99 {p99} ms")  # noqa: T201 - shown with -s
    assert max(seconds) < SECONDS_TO_ACK


async def test_calls_to_slack_for_one_image(
    socket_world: World, record_property: Callable[[str, object], None]
) -> None:
    """Root, two edits of its status, three for the upload, one look whether the file is ready, the
    draft; the approval adds three. An image that takes longer has one more status edit every four
    seconds."""
    world = socket_world
    await world.run("web")
    await world.run("worker")
    slack = world.slack
    alice, general = slack.user("alice"), slack.channel("general")
    before, asked = len(slack.calls), time.monotonic()
    await slack.slash(alice, general, "/imagine", "a fox")
    root = await slack.wait_for_message(general, text="Waiting for review")
    calls = Counter(call.method for call in slack.calls[before:])
    record_property("calls to Slack for one image", str(dict(calls)))
    print(dict(calls))  # noqa: T201 - shown with -s
    edits = calls.pop("chat.update")
    assert 2 <= edits <= 2 + time.monotonic() - asked  # no more than one a second on top
    assert calls == {
        "chat.postMessage": 2,
        "files.info": 1,
        "files.getUploadURLExternal": 1,
        "upload": 1,
        "files.completeUploadExternal": 1,
    }
    draft = await slack.wait_for_message(general, thread_ts=root.ts, button="Approve")
    await slack.click(alice, draft, "Approve")
    await slack.wait_for_message(general, text="Approved by")
    expected = sum(calls.values()) + edits + 3
    await slack.wait_for(lambda: len(slack.calls) - before >= expected, what="all calls")
    assert len(slack.calls) - before == expected
