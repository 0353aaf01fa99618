"""The live preview: partial images in the thread while the model works, gone when the draft is
there, and never at its price."""

from __future__ import annotations

import pytest

from bot.sandbox import Fault, Message
from tests.fake_openai import held, success
from tests.support.processes import HastyProcess
from tests.support.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROCESS = HastyProcess
RUNS = [("web", {}), ("worker", {"PARTIAL_IMAGES": "2"})]


async def preview(scene: Scene, root: Message) -> Message:
    return await scene.slack.wait_for_message(
        scene.channel, root.ts, text="Preview of attempt", image=True
    )


def visible(scene: Scene, root: Message) -> list[Message]:
    return [message for message in scene.replies(root) if not message.deleted]


async def test_a_partial_image_is_shown_until_the_draft_comes(scene: Scene) -> None:
    scene.openai.script(held("partials", success(partials=2)))
    await scene.imagine()
    root = await scene.root()
    shown = await preview(scene, root)
    await scene.openai.until_held()
    assert shown.shown_images() != [None]
    assert not shown.buttons()
    assert scene.openai.creates[0].body["tools"][0]["partial_images"] == 2
    scene.openai.release()
    draft = await scene.draft()
    await scene.slack.wait_for(lambda: visible(scene, root) == [draft], what="the draft alone")
    await scene.approved(draft)
    assert scene.openai.paid == 1


async def test_a_slack_that_is_too_busy_for_previews_gets_the_draft(scene: Scene) -> None:
    scene.slack.faults.add(
        "chat.postMessage",
        Fault.rate_limited(1),
        match=lambda args: "Preview of attempt" in str(args),
    )
    scene.openai.script(held("partials", success(partials=2)))
    await scene.imagine()
    root = await scene.root()
    await scene.slack.wait_for(
        lambda: any("Preview" in str(call.args) for call in scene.slack.calls),
        what="an attempt at a preview",
    )
    await scene.openai.until_held()
    scene.openai.release()
    draft = await scene.draft()
    await scene.slack.wait_for(lambda: visible(scene, root) == [draft], what="the draft alone")


async def test_cancelling_takes_the_preview_away(scene: Scene) -> None:
    scene.openai.script(held("partials", success(partials=1)))
    await scene.imagine()
    root = await scene.root()
    await preview(scene, root)
    await scene.click(root, "Cancel")
    await scene.shows(root, "Cancelled")
    await scene.slack.wait_for(lambda: visible(scene, root) == [], what="an empty thread")
