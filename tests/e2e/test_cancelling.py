"""Cancelling: queued or under way, on whichever worker has it. Nothing is posted after."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from bot.sandbox import Fault
from tests.support.processes import HastyProcess
from tests.support.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROCESS = HastyProcess
RUNS = [("web", {}), *[("worker", {"WORKER_CONCURRENCY": "1"})] * 2]
"""Two workers, with one image at a time each."""

QUIET = 1.5
"""Seconds to wait for what should not come."""


async def test_cancel_while_generating_stops_the_work_within_a_second(scene: Scene) -> None:
    scene.openai.hold("generating")
    await scene.imagine("a whale")
    root = await scene.root()
    await scene.openai.until_held()
    await scene.shows(root, "Generating")
    await scene.click(root, "Cancel")
    clicked = time.monotonic()
    await scene.slack.wait_for(lambda: scene.openai.cancelled, what="stopped at the provider")
    assert time.monotonic() - clicked < 5.0  # a second where nothing else runs
    await scene.shows(root, "Cancelled")
    assert [b.split(" ", 1)[1] for b in root.buttons()] == ["Try again", "Edit prompt"]
    stored = await scene.until_stage("initial_input")
    assert stored["error_message"]
    posted = len(scene.everything())
    scene.openai.release()
    await asyncio.sleep(QUIET)
    assert len(scene.everything()) == posted
    assert scene.openai.paid == 0

    await scene.click(root, "Try again")
    draft = await scene.draft()
    await scene.approved(draft)


async def test_cancel_while_queued_takes_it_out_of_the_queue(scene: Scene) -> None:
    scene.openai.hold("generating")
    for n in range(3):
        await scene.imagine(f"idea {n}")
        await scene.slack.wait_for_message(scene.channel, text=f"idea {n}")
    await scene.openai.until_held(2)
    await scene.until_queued(1)
    creates = len(scene.openai.creates)
    waiting = await scene.root_of(await queued_prompt(scene))
    await scene.click(waiting, "Cancel")
    await scene.until_queued(0)
    await scene.shows(waiting, "Cancelled")
    scene.openai.release()
    await scene.until_idle()
    assert len(scene.openai.creates) == creates
    assert scene.replies(waiting) == []


async def queued_prompt(scene: Scene) -> str:
    """Of the session whose attempt has not begun."""
    for session in await scene.sessions():
        if not json.loads(session["attempts"])[-1]["started_at"]:
            return session["task_input"]
    raise AssertionError("every attempt has begun")


async def test_cancel_of_a_later_attempt_gives_the_draft_back(scene: Scene) -> None:
    await scene.imagine()
    root, draft = await scene.root(), await scene.draft()
    await scene.until_stage("user_feedback")
    scene.openai.hold("generating")
    await scene.click(draft, "Regenerate")
    await scene.openai.until_held()
    await scene.slack.wait_for(lambda: "Cancel" in str(root.buttons()), what="a way to stop it")
    await scene.click(root, "Cancel")
    await scene.until_stage("user_feedback")
    await scene.slack.wait_for(lambda: "Approve" in str(draft.buttons()), what="the draft back")
    await scene.shows(root, "cancelled")
    await scene.slack.wait_for(lambda: scene.openai.cancelled, what="stopped at the provider")
    scene.openai.release()
    await scene.approved(draft)
    assert scene.openai.paid == 1


async def test_cancel_while_slack_is_slow_to_take_the_image(scene: Scene) -> None:
    """Whatever was on its way is gone in the end."""
    scene.slack.faults.add("files.completeUploadExternal", Fault.delay(1.0))
    await scene.imagine()
    root = await scene.root()
    await scene.shows(root, "Uploading")
    await scene.click(root, "Cancel")
    await scene.until_stage("initial_input")
    await scene.shows(root, "Cancelled")
    await scene.until_quiet()
    assert [m for m in scene.replies(root) if not m.deleted] == []


async def test_a_second_cancel_is_told_so(scene: Scene) -> None:
    scene.openai.hold("generating")
    await scene.imagine()
    root = await scene.root()
    await scene.openai.until_held()
    await asyncio.gather(*(scene.click(root, "Cancel", stale=True) for _ in range(2)))
    await scene.until_stage("initial_input")
    await scene.told("nothing to cancel")
    await scene.shows(root, "Cancelled")


async def test_cancel_by_command(scene: Scene) -> None:
    scene.openai.hold("generating")
    await scene.imagine("a whale in a bathtub")
    root = await scene.root()
    await scene.openai.until_held()
    ack = await scene.imagine("cancel")
    assert "a whale in a bathtub" in str(ack.body)
    await scene.shows(root, "Cancelled")
    ack = await scene.imagine("Cancel")
    assert "nothing to cancel" in str(ack.body)
    assert scene.openai.paid == 0


async def test_discard_and_undo(scene: Scene) -> None:
    await scene.imagine("a whale in a hat")
    draft, root = await scene.draft(), await scene.root()
    ack = await scene.imagine("cancel")
    assert "Discard" in str(ack.body)
    offer = await scene.told("a whale in a hat")
    await scene.click(offer, "Discard")
    await scene.shows(root, "Discarded by")
    await scene.shows(draft, "Discarded by")
    assert [b.split(" ", 1)[1] for b in draft.buttons()] == ["Undo"]
    await scene.click(root, "Undo")
    await scene.shows(root, "Waiting for review")
    await scene.slack.wait_for(lambda: "✅ Approve" in draft.buttons(), what="buttons again")
    await scene.approved(draft)
