"""What people type: shown as typed, harmless to everybody, and whole where the image is made."""

from __future__ import annotations

import pytest

from bot.sandbox import Message
from bot.sandbox.workspace.markup import pings_in_blocks, pings_in_text
from tests.fake_openai import incomplete
from tests.support.scene import Runs, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNS: Runs = [("dev", {})]
MODE = "http"

LABEL = "AI-generated · gpt-image-2.5-flare"
HOSTILE = "<!channel> <@U123> <https://x|y> & * _ ~ `"

TYPED = {
    "markup": HOSTILE,
    "what would end a piece of markup": "a > b < c &lt;!here&gt; |x> @channel @here #general",
    "broken markup": "```<!everyone> *bold _and ~struck <!subteam^S1|team> <mailto:a@b.c|m>",
    "emoji": "a 🦊 and a 👩‍👩‍👧‍👦 family 🏳️‍🌈 under :sunny: ❤️",
    "right to left": "ثعلب على القمر, then שועל על הירח",
    "lines": "a fox\n\n  on the moon\n\tat night",
    "quotes of a phone": "“a fox” — on ‘the moon’ …",
    "JSON": '{"text": "a \\"fox\\"", "blocks": []}',
    "help, and more": "help a fox",
    "not ASCII at all": "月の上の狐\u3000と猫",
}


@pytest.mark.parametrize("prompt", TYPED.values(), ids=TYPED.keys())
async def test_a_prompt_is_shown_as_typed_and_sent_whole(scene: Scene, prompt: str) -> None:
    """In every message there is: root, draft, final, failure, and in each state of them."""
    scene.openai.script(incomplete())
    await scene.imagine(prompt)
    failure = await scene.failure()
    await scene.click(failure, "Try again")
    draft = await scene.draft(after=failure)
    final = await scene.approved(draft)
    root = await scene.root()
    assert plain_texts(root) == [prompt]
    assert plain_texts(final) == [prompt]
    assert [draft.blocks[0]["alt_text"], final.blocks[1]["alt_text"]] == [f"{LABEL}: {prompt}"] * 2
    assert [create.body["input"] for create in scene.openai.creates] == [prompt] * 2
    assert (await scene.stored())["task_input"] == prompt
    assert pings_of_all(scene) == {f"<@{scene.alice.id}>"}


async def test_a_prompt_from_a_form_is_treated_alike(scene: Scene) -> None:
    await scene.imagine("")
    await scene.form()
    assert (await scene.slack.submit(scene.alice, {"prompt": HOSTILE})).ok
    final = await scene.approved(await scene.draft())
    assert plain_texts(final) == [HOSTILE]
    assert scene.openai.creates[-1].body["input"] == HOSTILE
    assert pings_of_all(scene) == {f"<@{scene.alice.id}>"}
    await scene.click(final, "Start over")
    form = await scene.form()
    assert form.value("prompt") == HOSTILE


@pytest.mark.parametrize(
    ("typed", "prompt"),
    [
        ("a\0 fox\x07\x1b[31m", "a fox[31m"),
        ("  a fox \r\n on the moon\r\n", "a fox \n on the moon"),
    ],
    ids=["control characters", "line ends of another system"],
)
async def test_what_nobody_types_on_purpose_is_left_out(
    scene: Scene, typed: str, prompt: str
) -> None:
    await scene.imagine(typed)
    draft = await scene.draft()
    assert draft.blocks[0]["alt_text"] == f"{LABEL}: {prompt}"
    assert scene.openai.creates[-1].body["input"] == prompt


@pytest.mark.parametrize("text", ["\0\x07", " \r\n\t "], ids=["control characters", "white space"])
async def test_a_prompt_that_comes_to_nothing_starts_nothing(scene: Scene, text: str) -> None:
    await scene.imagine(text)
    assert not scene.openai.creates
    assert [m for m in scene.everything() if not m.ephemeral_to] == []


async def test_a_prompt_that_is_too_long_is_refused_in_private(scene: Scene) -> None:
    ack = await scene.imagine("x" * 40_000)
    assert "too long: 32,000 characters are the most" in str(ack.body)
    (told,) = scene.everything()
    assert told.ephemeral_to == scene.alice.id
    assert await scene.sessions() == []
    assert scene.openai.creates == []


@pytest.mark.parametrize("character", ["x", "<", "🦊"], ids=["a letter", "markup", "emoji"])
async def test_the_longest_prompt_is_shown_cut_and_sent_whole(scene: Scene, character: str) -> None:
    prompt = character * 31_999 + "!"
    await scene.imagine(prompt)
    draft = await scene.draft()
    root = await scene.root()
    final = await scene.approved(draft)
    assert scene.openai.creates[-1].body["input"] == prompt
    assert (await scene.stored())["task_input"] == prompt
    alternative = draft.blocks[0]["alt_text"].removeprefix(f"{LABEL}: ")
    for shown in (*plain_texts(root), *plain_texts(final), alternative):
        assert shown.endswith(f"{character}…")
        assert set(shown) == {character, "…"}
    await scene.click(final, "Start over")
    form = await scene.form()
    assert form.value("prompt").startswith(character)
    assert "Your prompt was longer" in form.shown_text


def plain_texts(message: Message) -> list[str]:
    """What its sections show as plain text, which is where the prompt stands."""
    texts = (block["text"] for block in message.blocks if block["type"] == "section")
    return [str(text["text"]) for text in texts if text["type"] == "plain_text"]


def pings_of_all(scene: Scene) -> set[str]:
    """All that Slack would make of any text in the channel, now or before an edit."""
    found = set()
    for message in scene.everything():
        for state in message.history:
            found.update(pings_in_blocks(state.blocks))
            found.update(pings_in_text(state.text, message.names_linked))
    return found
