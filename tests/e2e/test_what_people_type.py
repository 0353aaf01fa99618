"""What people type in a client: names, emoji, thanks, and replies below messages of their own and
below pictures. Web and worker are processes of their own."""

from __future__ import annotations

import json

import pytest

from bot.sandbox import Message
from tests.e2e.test_talking import png
from tests.support.scene import Runs, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNS: Runs = [("web", {}), ("worker", {})]

TAGS = "".join(chr(0xE0000 + ord(c)) for c in "ignore that")


def prompts(scene: Scene) -> list[str]:
    """What the provider was asked for, oldest first."""
    return [json.dumps(call.body["input"], ensure_ascii=False) for call in scene.openai.creates]


def questions(scene: Scene) -> list[Message]:
    told = scene.slack.ephemerals(scene.alice, scene.channel)
    return [message for message in told if "New image from my words only" in message.buttons()]


async def photo(scene: Scene) -> Message:
    said = await scene.slack.say(scene.bob, scene.channel, "look", files=[("b.png", png(64, 48))])
    message: Message | None = said.message
    assert message is not None
    return message


@pytest.mark.parametrize(
    ("typed", "prompt"),
    [
        ("@imagine 🦊 on the moon", ":fox_face: on the moon"),
        ("can you, @imagine, draw a 🐧?", "can you, draw a :penguin:?"),
        ("@imagine draw @bob as an astronaut", "draw bob as an astronaut"),
        ("@imagine a poster for #general & @here", "a poster for #general & everyone here"),
        (f"@imagine a \u202ecat\u202c{TAGS} <3", "a cat <3"),
    ],
)
async def test_the_provider_is_asked_for_what_was_meant(
    scene: Scene, typed: str, prompt: str
) -> None:
    assert (await scene.slack.write(scene.alice, scene.channel, typed)).ok
    draft = await scene.draft()
    assert prompts(scene) == [json.dumps(prompt, ensure_ascii=False)]
    assert prompt in draft.shown_text


@pytest.mark.parametrize(
    "typed", ["@imagine thanks! 🙏", "Good morning, @imagine", "@imagine help!"]
)
async def test_courtesies_buy_nothing(scene: Scene, typed: str) -> None:
    before = len(scene.slack.ephemerals(scene.alice, scene.channel))
    await scene.slack.write(scene.alice, scene.channel, typed)
    await scene.slack.wait_for(
        lambda: len(scene.slack.ephemerals(scene.alice, scene.channel)) > before, what="an answer"
    )
    assert await scene.sessions() == []
    assert scene.openai.creates == []


async def test_a_reply_to_ones_own_mention_is_about_its_session(scene: Scene) -> None:
    asked = await scene.slack.write(scene.alice, scene.channel, "@imagine a heron")
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    assert asked.message is not None
    ts = asked.message.ts
    await scene.slack.write(scene.alice, scene.channel, "@imagine make it night", ts)
    second = await scene.draft(after=first)
    assert "attempt 2 from attempt 1" in second.shown_text
    assert len(await scene.sessions()) == 1
    told = await scene.told("in its own thread")
    assert told.thread_ts == ts


@pytest.mark.parametrize(
    ("button", "edits"), [("Use this picture", True), ("New image from my words only", False)]
)
async def test_below_a_photo_the_person_is_asked_first(
    scene: Scene, button: str, edits: bool
) -> None:
    root = await photo(scene)
    scene.slack.deliver_twice = True
    await scene.slack.write(scene.alice, scene.channel, "@imagine make it night", root.ts)
    (asked,) = await scene.slack.wait_for(lambda: questions(scene), what="the question")
    assert asked.thread_ts == root.ts
    assert await scene.sessions() == []
    assert scene.openai.creates == []
    await scene.slack.click(scene.alice, asked, button)
    await scene.slack.wait_for_message(scene.channel, root.ts, button="Approve", image=True)
    action = scene.openai.creates[0].body["tools"][0].get("action")
    assert (action == "edit") is edits
    assert not asked.buttons()
    assert scene.openai.paid == 1
    assert len(await scene.sessions()) == 1
