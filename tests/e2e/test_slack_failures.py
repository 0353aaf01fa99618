"""Slack that is slow, busy, away or forgetful; people who click twice; requests that Slack did not
send. Whatever happens, everything is posted once and paid once, and the person gets on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.sandbox import PATIENCE, Fault, Message, SimulatedSlack
from bot.sandbox.delivery.http import HttpDelivery
from tests.fake_openai import FakeOpenAI, incomplete
from tests.support.concurrent_tests import concurrent
from tests.support.processes import HastyProcess, World
from tests.support.scene import SECONDS_TO_ACK, Scene, isolated_world, new_scene
from tests.support.store import sessions_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROCESS = HastyProcess
RUNS = [("dev", {"DIRECTORS": "anyone"})]

Args = dict[str, Any]

FAULTS = {
    "429": Fault.rate_limited(1),
    "503": Fault.http(503),
    "answer lost": Fault.lost_answer(),
    "connection dropped": Fault.dropped(),
}

CALLS: dict[str, tuple[str, Callable[[Args], bool]]] = {
    "the root": ("chat.postMessage", lambda args: "thread_ts" not in args),
    "the draft": ("chat.postMessage", lambda args: "thread_ts" in args),
    "the final": ("chat.postMessage", lambda args: bool(args.get("reply_broadcast"))),
    "the status": ("chat.update", lambda args: True),
    "the upload's address": ("files.getUploadURLExternal", lambda args: True),
    "the upload": ("upload", lambda args: True),
    "the upload's end": ("files.completeUploadExternal", lambda args: True),
}
WRONG = [(call, "answer lost") for call in CALLS] + [
    ("the draft", fault) for fault in FAULTS if fault != "answer lost"
]
"""Each call with the fault that leaves open whether it was heard, and each fault with one call; the
publisher's own tests have each fault with each call."""


Stuck = tuple[Scene, Message, Message]
"""The scene, the message that shares the image, and the draft's buttons below it."""


# one call goes wrong


@pytest.mark.parametrize(("call", "fault"), WRONG)
async def test_a_call_that_goes_wrong_once_is_made_up_for(
    scene: Scene, call: str, fault: str
) -> None:
    method, match = CALLS[call]
    scene.slack.faults.add(method, FAULTS[fault], match=match)
    await scene.imagine()
    draft = await scene.draft()
    await scene.approved(draft)
    assert not any(planned.times for planned in scene.slack.faults.planned)
    scene.assert_posted_once()


async def test_a_failure_is_told_once(scene: Scene) -> None:
    scene.openai.script(incomplete())
    lost = FAULTS["answer lost"]
    scene.slack.faults.add("chat.postMessage", lost, match=lambda args: "thread_ts" in args)
    await scene.imagine()
    failure = await scene.failure()
    await scene.until_stage("initial_input")
    assert scene.replies(await scene.root()) == [failure]
    await scene.click(failure, "Try again")
    await scene.draft(after=failure)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_form_that_does_not_open_can_be_asked_for_again(scene: Scene, fault: Fault) -> None:
    scene.slack.faults.add("views.open", fault)
    await scene.imagine("")
    if fault.kind == "lost_answer":
        await scene.form()
    else:
        await scene.told("Please try again")
        assert scene.slack.open_view(scene.alice) is None
    await scene.imagine("")
    await scene.form()
    assert (await scene.slack.submit(scene.alice, {"prompt": "a fox"})).ok
    await scene.draft()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_private_word_finds_another_way(scene: Scene, fault: Fault) -> None:
    await scene.imagine()
    draft = await scene.draft()
    await scene.approved(draft)
    scene.slack.faults.add("chat.postEphemeral", fault)
    await scene.click(draft, "Approve", stale=True)
    told = await scene.told("approved already")
    assert told.ephemeral_to == scene.alice.id
    scene.assert_posted_once()


@concurrent
async def test_a_slack_that_is_busy_all_the_time_slows_the_bot_down_only(tmp_path: Path) -> None:
    """Slack's own limit for posting: one message a second in a channel, with no burst."""
    async with isolated_world(tmp_path) as world:
        await world.run("dev")
        for method in ("chat.postMessage", "chat.update"):
            world.slack.rate_limit(method, 1)
        scene = new_scene(world)
        await scene.imagine()
        first = await scene.draft()
        await scene.click(first, "Regenerate")
        await scene.approved(await scene.draft(after=first))
        scene.assert_posted_once(paid=2)
        assert world.slack.violations == []


# files


async def test_a_file_that_takes_a_while_to_get_ready(scene: Scene) -> None:
    scene.slack.workspace.files.ready_after = 2.0
    await scene.imagine()
    draft = await scene.draft()
    assert draft.shown_images() == [scene.openai.made[0].data]
    await scene.approved(draft)
    scene.assert_posted_once()


# channels


async def test_a_public_channel_is_joined(running: World) -> None:
    new_scene(running)
    scene = Scene(running, "outsiders")
    await scene.imagine()
    await scene.approved(await scene.draft())
    scene.assert_posted_once()
    assert running.slack.bot_user_id in scene.channel.members
    assert running.slack.violations == []


async def test_a_private_channel_is_told_how_to_invite_the_bot(running: World) -> None:
    new_scene(running)
    scene = Scene(running, "secret")
    await scene.imagine()
    told = await scene.told("/invite @imagine")
    assert scene.everything() == [told]
    stored = await scene.until_stage("initial_input")
    assert "/invite" in stored["error_message"]
    assert scene.openai.creates == []
    assert running.slack.calls_of("response_url")

    scene.channel.members.add(running.slack.bot_user_id)
    await scene.imagine()
    await scene.approved(await scene.draft())
    scene.assert_posted_once()
    assert running.slack.violations == []


async def test_what_the_channel_does_not_take_can_be_published_again(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    closed = Fault(error="restricted_action")
    scene.slack.faults.add(
        "chat.postMessage", closed, match=lambda args: bool(args.get("reply_broadcast"))
    )
    await scene.click(draft, "Approve")
    await scene.told("press Try again on my first message")
    root = await scene.root()
    await scene.shows(root, "but Slack did not let me post it")
    assert len(root.buttons()) == 2

    await scene.click(root, "Try again")
    final = await scene.final(draft)
    assert final.reply_broadcast
    await scene.shows(root, "✅ Approved by")
    assert not root.buttons()
    await scene.click(root, "Try again", stale=True)
    await scene.told("approved already")
    scene.assert_posted_once()


# slowness


@concurrent
async def test_acks_are_in_time_however_slow_slack_is(tmp_path: Path) -> None:
    """`imagine` and `click` look at the time."""
    async with isolated_world(tmp_path) as world:
        await world.run("dev")
        await _slow(new_scene(world))
        assert world.slack.violations == []


async def _slow(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    await scene.until_stage("user_feedback")
    scene.slack.faults.add("*", Fault.delay(4), times=1000)
    await asyncio.gather(*(scene.imagine(f"idea {number}") for number in range(10)))
    await scene.imagine("")
    await scene.imagine("help")
    await scene.click(draft, "Regenerate")
    await scene.click(draft, "Approve", stale=True)
    scene.slack.faults.clear()
    await scene.slack.wait_for(
        lambda: len(scene.slack.messages(scene.channel)) == 11, what="the roots"
    )
    await scene.until_idle()
    assert scene.openai.paid == 12


# sockets


@pytest.mark.parametrize("ending", ["refresh_requested", "warning", "abrupt"])
async def test_sockets_that_slack_closes_are_opened_again(scene: Scene, ending: str) -> None:
    slack = scene.slack
    scene.openai.hold("generating")
    await scene.imagine()
    await scene.openai.until_held()
    connected = len(slack.calls_of("apps.connections.open"))
    await slack.disconnect_sockets(
        reason="refresh_requested" if ending == "abrupt" else ending, abrupt=ending == "abrupt"
    )
    if ending != "warning":
        await slack.wait_for(
            lambda: len(slack.calls_of("apps.connections.open")) >= connected + 2,
            what="new connections",
        )
    await slack.wait_for(lambda: slack.sockets >= 2, what="two open sockets")
    scene.openai.release()
    draft = await scene.draft()
    await scene.approved(draft)
    await asyncio.gather(*(scene.imagine("help") for _ in range(4)))
    scene.assert_posted_once()


# twice, and both at once


async def test_what_slack_delivers_twice_counts_once(scene: Scene) -> None:
    slack = scene.slack
    slack.deliver_twice = True
    await scene.imagine()
    first = await scene.draft()
    await scene.click(first, "Regenerate")
    second = await scene.draft(after=first)
    final = await scene.approved(second)
    scene.assert_posted_once(paid=2)
    root = await scene.root()

    await scene.click(final, "Start over")
    await scene.form()
    assert (await slack.submit(scene.alice)).ok
    new_root = await scene.root(after=root)
    await scene.draft()
    assert slack.messages(scene.channel) == [root, new_root]
    assert len(await scene.sessions()) == 2
    assert scene.openai.paid == 3
    broken = [m for m in scene.everything() if "Something went wrong" in m.shown_text]
    assert broken == []


async def test_a_form_that_is_sent_twice_starts_one_image(scene: Scene) -> None:
    await scene.imagine("")
    form = await scene.form()
    acks = await asyncio.gather(
        *(scene.slack.submit(scene.alice, {"prompt": "a fox"}, view=form) for _ in range(3))
    )
    assert all(ack.ok for ack in acks)
    await scene.draft()
    scene.assert_posted_once(finals=0)


async def test_many_clicks_at_once_make_one_attempt(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    await asyncio.gather(
        *(scene.click(draft, "Regenerate", who) for who in (scene.alice, scene.bob) * 5)
    )
    await scene.draft(after=draft)
    await scene.until_stage("user_feedback")
    assert len(await scene.attempts()) == 2
    await scene.until_quiet()
    refused = [m for m in scene.everything() if m.ephemeral_to]
    assert len(refused) == 9
    scene.assert_posted_once(paid=2, finals=0)


async def test_many_approvals_at_once_make_one_final(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    people = (scene.alice, scene.bob) * 5
    await asyncio.gather(*(scene.click(draft, "Approve", who) for who in people))
    final = await scene.final(draft)
    root = await scene.root()
    await scene.shows(root, "Approved by")
    approver = (await scene.stored())["approved_by"]
    assert approver in {scene.alice.id, scene.bob.id}
    assert f"Approved by <@{approver}>" in root.shown_text
    assert final.reply_broadcast
    scene.assert_posted_once()


async def test_approve_and_regenerate_at_once_come_to_one_of_them(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    await asyncio.gather(
        *(scene.click(draft, "Approve", scene.alice), scene.click(draft, "Regenerate", scene.bob))
    )
    await scene.until_idle()
    stored, attempts = await scene.stored(), await scene.attempts()
    if stored["stage"] == "final":
        await scene.final(draft)
        assert len(attempts) == 1
        await scene.told("approved already", scene.bob)
        scene.assert_posted_once()
    else:
        assert stored["stage"] == "user_feedback"
        assert len(attempts) == 2
        await scene.told("", scene.alice)
        scene.assert_posted_once(paid=2, finals=0)


# a file that never gets ready


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def stuck(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[asyncio.Task[Stuck]]:
    """It takes a while, so it begins with the module and goes on beside the other tests."""
    async with isolated_world(tmp_path_factory.mktemp("stuck")) as world:
        world.process = HastyProcess
        await world.run("dev")
        task = asyncio.create_task(_get_stuck(new_scene(world)))
        yield task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _get_stuck(scene: Scene) -> Stuck:
    """Slack does not come to know the first file; the one that is shared instead, it shows."""
    files = scene.slack.workspace.files
    files.ready_after = 1e6
    await scene.imagine()
    await scene.slack.wait_for(
        lambda: len(scene.slack.calls_of("files.getUploadURLExternal")) == 2,
        timeout=3 * PATIENCE,
        what="the fallback",
    )
    files.ready_after = 0.0
    draft = await scene.draft()
    shared = await scene.slack.wait_for_message(
        scene.channel, thread_ts=draft.thread_ts, where=lambda message: bool(message.files)
    )
    await scene.until_stage("user_feedback")
    return scene, shared, draft


async def test_a_file_that_never_gets_ready_is_shared_instead(stuck: asyncio.Task[Stuck]) -> None:
    scene, shared, draft = await stuck
    assert shared.shown_images() == [scene.openai.made[0].data]
    assert draft.buttons() == ["✅ Approve", "🔁 Regenerate", "🪄 Refine", "✏️ Edit prompt"]
    assert "attempt 1" in draft.shown_text
    assert scene.slack.violations == []


async def test_a_draft_below_a_shared_file_is_retired_too(stuck: asyncio.Task[Stuck]) -> None:
    scene, _, draft = await stuck
    await scene.click(draft, "Regenerate")
    second = await scene.draft(after=draft)
    await scene.approved(second)
    await scene.slack.wait_for(lambda: not draft.buttons(), what="nothing left to use")
    assert "No longer up for review" in draft.shown_text
    assert scene.slack.violations == []


# HTTP


async def test_only_what_slack_signed_is_taken(tmp_path: Path) -> None:
    async with isolated_world(tmp_path, "http") as world:
        web = await world.run("web")
        body = urlencode(
            {
                "command": "/imagine",
                "text": "a forged prompt",
                "team_id": world.slack.team_id,
                "user_id": world.slack.user("alice").id,
                "channel_id": world.slack.channel("general").id,
                "trigger_id": "1.2.3",
            }
        ).encode()
        delivery = HttpDelivery("", world.slack.signing_secret)
        forger = HttpDelivery("", "another-secret")
        good = delivery.signature(body)
        now = int(time.time())
        unsigned: list[dict[str, str]] = [
            {},
            forger.signature(body),
            delivery.signature(body + b"&more=1"),
            delivery.signature(body, now - 600),
            {**good, "X-Slack-Request-Timestamp": "soon"},
            {**good, "X-Slack-Request-Timestamp": str(now + 1)},
            {**good, "X-Slack-Signature": "v0=ü"},
        ]
        assert [await post(world, body, headers) for headers in unsigned] == [401] * len(unsigned)
        assert await sessions_in(world.redis) == []
        assert await post(world, body, good) == 200
        assert len(await sessions_in(world.redis)) == 1
        assert "forged prompt" not in web.log
        await delivery.close()
        await forger.close()


async def post(world: World, body: bytes, headers: dict[str, str]) -> int:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    url = f"http://127.0.0.1:{world.port}/slack/events"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        return response.status


async def test_health_says_whether_redis_answers(tmp_path: Path) -> None:
    async with SimulatedSlack() as slack, FakeOpenAI() as openai:
        with EmbeddedRedis(tmp_path / "redis") as redis:
            world = World(slack, openai, redis.url, tmp_path, "http")
            await world.run("web")
            assert await world.health() == (200, '{"status": "ok"}')
        async with world:
            started = time.monotonic()
            status, text = await world.health()
            assert status == 503
            assert "Redis does not answer" in text
            assert time.monotonic() - started < SECONDS_TO_ACK
