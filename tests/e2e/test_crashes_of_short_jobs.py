"""A worker that is killed while it shows what a person decided. Another one ends it, and nothing
is posted twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bot.sandbox.webapi.faults import Fault
from bot.sandbox.workspace.messages import Message
from bot.views.ids import BUTTON_LABELS, UNDO
from tests.support.processes import SHORT_LEASE
from tests.support.scene import Scene, isolated_world

LEASE = SHORT_LEASE
TAKEN_OVER_WITHIN = 45.0
"""Seconds, on a machine that has more to do."""

Step = Callable[[Scene, Message], Awaitable[Callable[[], bool]]]
"""Brings the worker to where it is killed, and answers what has to be true once another one has
taken its place."""


def _to_channel(args: dict[str, Any]) -> bool:
    return bool(args.get("reply_broadcast"))


def _hang(scene: Scene, method: str, ts: str = "") -> None:
    """Until the worker is killed."""
    scene.slack.faults.add(
        method, Fault.hang(), times=1000, match=lambda args: ts in ("", args.get("ts"))
    )


def _finished(scene: Scene, draft: Message) -> bool:
    root = scene.slack.message(scene.channel, str(draft.thread_ts))
    return not draft.buttons() and "Approved by" in root.shown_text


async def _the_approved_image_was_posted(scene: Scene, draft: Message) -> Callable[[], bool]:
    scene.slack.faults.add("chat.postMessage", Fault.late(60.0), match=_to_channel)
    _hang(scene, "chat.update")
    await scene.click(draft, "Approve")
    await scene.final(draft)
    assert (await scene.stored())["final_ts"] == ""
    return lambda: _finished(scene, draft)


async def _the_approved_image_was_recorded(scene: Scene, draft: Message) -> Callable[[], bool]:
    _hang(scene, "chat.update")
    await scene.click(draft, "Approve")
    await scene.final(draft)
    await _until(scene, "final_ts")
    return lambda: _finished(scene, draft)


async def _an_attempt_was_cancelled(scene: Scene, draft: Message) -> Callable[[], bool]:
    scene.openai.hold("generating")
    await scene.click(draft, "Regenerate")
    await scene.openai.until_held()
    root = await scene.root()
    await scene.slack.wait_for(lambda: "Cancel" in str(root.buttons()), what="the cancel button")
    _hang(scene, "chat.update")
    await scene.click(root, "Cancel")
    await scene.until_stage("user_feedback")
    return lambda: "cancelled" in root.shown_text and "Approve" in str(draft.buttons())


async def _a_session_was_discarded(scene: Scene, draft: Message) -> Callable[[], bool]:
    await scene.imagine("cancel")
    offer = await scene.told("Discard")
    _hang(scene, "chat.update")
    await scene.click(offer, "Discard")
    await scene.slack.wait_for(
        lambda: any(call.seconds is None for call in scene.slack.calls_of("chat.update")),
        what="an edit under way",
    )
    root = scene.slack.message(scene.channel, str(draft.thread_ts))
    undo = [BUTTON_LABELS[UNDO]]
    return lambda: draft.buttons() == undo and root.buttons() == undo


async def _until(scene: Scene, field: str) -> None:
    async with asyncio.timeout(10):
        while not (await scene.stored())[field]:
            await asyncio.sleep(0.02)


KILLED: dict[str, tuple[Step, int, int]] = {
    "after the approved image was posted": (_the_approved_image_was_posted, 1, 1),
    "after the approved image was recorded": (_the_approved_image_was_recorded, 1, 1),
    "after a cancel": (_an_attempt_was_cancelled, 1, 0),
    "after a discard": (_a_session_was_discarded, 1, 0),
}
"""With how many drafts and how many finals there are in the end."""


async def _kill_at(
    step: Step, drafts: int, finals: int, folder: Path, starting: asyncio.Semaphore
) -> None:
    async with isolated_world(folder, JOB_LEASE=str(LEASE)) as world:
        async with starting:
            await world.run("web")
            worker = await world.run("worker")
        scene = Scene(world, "general")
        await scene.imagine()
        shown = await step(scene, await scene.draft())
        await world.run("worker")
        assert not shown()
        await worker.kill()
        world.slack.faults.clear()
        world.openai.release()
        await scene.slack.wait_for(shown, TAKEN_OVER_WITHIN, "what the killed worker was to show")
        images = [m for m in scene.everything() if m.shown_images()]
        assert len([m for m in images if not m.reply_broadcast]) == drafts
        assert len([m for m in images if m.reply_broadcast]) == finals
        assert scene.slack.violations == []


async def test_what_a_person_decided_is_shown_by_another_worker(tmp_path: Path) -> None:
    starting = asyncio.Semaphore(2)  # all at once, none would be ready soon
    async with asyncio.TaskGroup() as worlds:
        for n, (step, drafts, finals) in enumerate(KILLED.values()):
            folder = tmp_path / str(n)
            worlds.create_task(_kill_at(step, drafts, finals, folder, starting))
