"""The whole loop, with web and worker as processes."""

from __future__ import annotations

from tests.support.processes import World
from tests.support.scene import SECONDS_TO_ACK


async def test_from_the_command_to_the_approved_image(world: World) -> None:
    await world.run("web")
    await world.run("worker")
    slack = world.slack
    alice, general = slack.user("alice"), slack.channel("general")

    ack = await slack.slash(alice, general, "/imagine", "a robot eating pizza on Mars")
    assert ack.ok
    assert ack.seconds < SECONDS_TO_ACK

    root = await slack.wait_for_message(general, text="a robot eating pizza on Mars")
    draft = await slack.wait_for_message(general, thread_ts=root.ts, button="Approve")
    assert draft.shown_images()
    assert "Regenerate" in " ".join(draft.buttons())

    assert (await slack.click(alice, draft, "Approve")).ok
    final = await slack.wait_for_message(general, thread_ts=root.ts, button="Start over")
    assert final.reply_broadcast
    assert final.shown_images() == draft.shown_images()
    await slack.wait_for(lambda: "Approved by" in str(root.blocks), what="approved status")
    assert slack.violations == []
    assert world.openai.paid == 1
