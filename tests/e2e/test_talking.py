"""Directing without the slash command: mentions, direct messages, pictures of one's own, the Home
tab. Web and worker are processes of their own. One scenario of each kind of request (an event in a
channel, a direct message, a file, a shortcut, the Home tab) runs over HTTP too."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from bot.sandbox import Message
from tests.support.scene import Runs, Scene, over_both

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNS: Runs = [("web", {}), ("worker", {})]


@over_both
async def test_a_mention_in_the_thread_refines_the_newest_draft(scene: Scene) -> None:
    await scene.imagine("a cat on a roof")
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    ack = await scene.slack.mention(scene.alice, scene.channel, "make it night", first.thread_ts)
    assert ack.ok
    second = await scene.draft(after=first)
    assert "attempt 2 from attempt 1" in second.shown_text
    assert "make it night" in second.shown_text
    assert "make it night" in str(scene.openai.creates[-1].body["input"])


@over_both
async def test_a_mention_told_twice_counts_once(scene: Scene) -> None:
    await scene.imagine()
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    scene.slack.deliver_twice = True
    await scene.slack.mention(scene.alice, scene.channel, "make it night", first.thread_ts)
    await scene.draft(after=first)
    await scene.until_idle()
    assert len(await scene.attempts()) == 2
    assert scene.openai.paid == 2
    assert scene.slack.ephemerals(scene.alice, scene.channel) == []


async def test_somebody_elses_mention_in_the_thread_changes_nothing(scene: Scene) -> None:
    await scene.imagine()
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    before = await scene.stored()
    await scene.slack.mention(scene.bob, scene.channel, "make it ugly", first.thread_ts)
    told = await scene.told("as a suggestion", scene.bob)
    assert told.thread_ts == first.thread_ts
    assert await scene.stored() == before


async def test_a_mention_in_a_channel_starts_a_session(scene: Scene) -> None:
    scene.slack.deliver_twice = True
    await scene.slack.mention(scene.alice, scene.channel, "a fox & a hound --ar 3:2")
    draft = await scene.draft()
    assert "a fox & a hound" in draft.shown_text
    assert scene.openai.creates[0].body["input"] == "a fox & a hound"
    assert scene.openai.creates[0].body["tools"][0]["size"] == "1536x1024"
    await scene.approved(draft)
    assert scene.openai.paid == 1


async def test_a_mention_in_a_foreign_thread_stays_in_that_thread(scene: Scene) -> None:
    asked = (await scene.slack.say(scene.bob, scene.channel, "any ideas?")).message
    assert asked is not None
    await scene.slack.mention(scene.alice, scene.channel, "a lighthouse", asked.ts)
    draft = await scene.slack.wait_for_message(scene.channel, asked.ts, button="Approve")
    root = await scene.slack.wait_for_message(scene.channel, asked.ts, text="imagines")
    await scene.until_stage("user_feedback")
    await scene.slack.mention(scene.alice, scene.channel, "at dusk", asked.ts)
    second = await scene.slack.wait_for_message(
        scene.channel, asked.ts, button="Approve", after=draft
    )
    assert "from attempt 1" in second.shown_text
    await scene.shows(root, "Waiting for review")
    await scene.click(second, "Approve")
    final = await scene.slack.wait_for_message(scene.channel, asked.ts, button="Start over")
    assert final.reply_broadcast


@over_both
async def test_a_direct_message_starts_and_refines(scene: Scene) -> None:
    direct = scene.slack.workspace.direct(scene.alice.id)
    seen = len(scene.slack.messages(direct))
    await scene.slack.say(scene.alice, direct, "an owl reading")
    root = await scene.slack.wait_for_message(direct, text="an owl reading", where=by_the_bot)
    draft = await scene.slack.wait_for_message(direct, root.ts, button="Approve")
    await scene.slack.wait_for(lambda: "Waiting" in root.shown_text, what="the owner's turn")
    await scene.slack.say(scene.alice, direct, "with glasses", root.ts)
    second = await scene.slack.wait_for_message(direct, root.ts, button="Approve", after=draft)
    assert "from attempt 1" in second.shown_text
    await scene.slack.click(scene.alice, second, "Approve")
    final = await scene.slack.wait_for_message(direct, root.ts, button="Start over")
    assert final.image_ids()
    assert scene.openai.paid == 2
    assert len(scene.slack.messages(direct)) >= seen + 2


def by_the_bot(message: Message) -> bool:
    return message.user == "U0IMAGINE1"


async def test_an_empty_mention_is_told_what_to_say(scene: Scene) -> None:
    await scene.slack.mention(scene.alice, scene.channel, "  ")
    await scene.told("Tell me what the image should show")
    assert await scene.sessions() == []


@over_both
async def test_an_attached_picture_is_where_it_starts_from(scene: Scene) -> None:
    picture = png(320, 200)
    await scene.slack.mention(
        scene.alice, scene.channel, "as a watercolour", files=[("roof.png", picture)]
    )
    draft = await scene.draft()
    assert "your picture" in draft.shown_text
    body = scene.openai.creates[0].body
    assert "data:image/png;base64," in json.dumps(body["input"])
    assert body["tools"][0]["action"] == "edit"
    await scene.approved(draft)
    assert scene.openai.paid == 1


async def test_a_file_that_is_no_picture_is_refused_before_anything_is_paid(scene: Scene) -> None:
    await scene.slack.mention(
        scene.alice, scene.channel, "as a watercolour", files=[("roof.png", b"no picture at all")]
    )
    await scene.told("That file isn't a")
    assert await scene.sessions() == []


async def test_a_picture_that_is_broken_is_refused_before_anything_is_paid(scene: Scene) -> None:
    broken = png(320, 200)[:200]
    await scene.slack.mention(
        scene.alice, scene.channel, "as a watercolour", files=[("roof.png", broken)]
    )
    failure = await scene.failure()
    assert failure.buttons() == ["✏️ Edit prompt"]
    assert scene.openai.creates == []


@over_both
async def test_direct_this_image_starts_from_anybodys_picture(scene: Scene) -> None:
    said = await scene.slack.say(scene.bob, scene.channel, "look", files=[("b.png", png(64, 48))])
    assert said.message is not None
    ack = await scene.slack.shortcut(scene.alice, said.message, "direct_image")
    assert ack.ok
    await scene.form()
    assert (
        await scene.slack.submit(scene.alice, {"prompt": "make it snow", "size": "1792x1008"})
    ).ok
    draft = await scene.slack.wait_for_message(
        scene.channel, said.message.ts, button="Approve", image=True
    )
    assert "make it snow" in draft.shown_text
    assert scene.openai.creates[0].body["tools"][0]["action"] == "edit"
    assert scene.openai.paid == 1


async def test_direct_this_image_on_a_message_without_one(scene: Scene) -> None:
    said = await scene.slack.say(scene.bob, scene.channel, "only words")
    assert said.message is not None
    await scene.slack.shortcut(scene.alice, said.message, "direct_image")
    await scene.told("no picture")
    assert scene.slack.open_view(scene.alice) is None


@over_both
async def test_the_home_tab_shows_what_is_mine(scene: Scene) -> None:
    await scene.imagine("a heron")
    draft = await scene.draft()
    await scene.imagine("a second idea")
    await scene.slack.wait_for(
        lambda: len([m for m in scene.everything() if "Approve" in str(m.buttons())]) == 2,
        what="both drafts",
    )
    await scene.approved(draft)
    await scene.slack.open_home(scene.alice)
    home = await scene.slack.wait_for(lambda: scene.slack.home(scene.alice), what="a Home tab")
    shown = json.dumps(home.blocks, ensure_ascii=False)
    assert "a second idea" in shown
    assert draft.image_ids()[0] in shown
    assert f"p{draft.thread_ts}".replace(".", "") in shown

    await scene.slack.select(scene.alice, home, "default_option_size", "1792x1008")
    await scene.slack.wait_for(
        lambda: "1792x1008" in json.dumps(scene.slack.home(scene.alice).blocks),  # type: ignore[union-attr]
        what="the default",
    )
    await scene.imagine("a third")
    await scene.openai.until(lambda: scene.openai.paid == 3)
    assert scene.openai.creates[-1].body["tools"][0]["size"] == "1792x1008"
    home = scene.slack.home(scene.alice) or home
    await scene.slack.select(scene.alice, home, "default_option_size", "default")
    await scene.until_idle()

    await scene.slack.open_home(scene.bob)
    his = await scene.slack.wait_for(lambda: scene.slack.home(scene.bob), what="Bob's Home tab")
    assert "a heron" not in json.dumps(his.blocks)


async def test_the_list_names_what_is_in_progress(scene: Scene) -> None:
    await scene.imagine("a heron in the rain")
    draft = await scene.draft()
    ack = await scene.imagine("list")
    assert "a heron in the rain" in str(ack.body)
    assert f"p{draft.thread_ts}".replace(".", "") in str(ack.body)


def png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()
