"""What a person can say about a draft beyond yes and no: refine, edit, options, candidates, earlier
drafts. Web and worker are processes of their own."""

from __future__ import annotations

import json

import pytest

from bot.sandbox import Message
from tests.fake_openai import moderation_400, moderation_failed_item, success
from tests.support.scene import Runs, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNS: Runs = [("web", {}), ("worker", {})]
MODE = "http"


async def test_refine_edits_the_image_it_was_asked_about(scene: Scene) -> None:
    await scene.imagine("a cat on a roof")
    first = await scene.draft()
    await scene.click(first, "Refine")
    form = await scene.form()
    assert "What should change?" in str(form.content)
    assert (await scene.slack.submit(scene.alice, {"prompt": "a friendlier cat"})).ok
    second = await scene.draft(after=first)
    await scene.until_stage("user_feedback")
    assert "attempt 2 from attempt 1" in second.shown_text
    assert "friendlier cat" in second.shown_text
    await scene.retired(first)
    original, edit = (create.body for create in scene.openai.creates)
    made = (await scene.attempts())[0]["candidates"][0]["response_id"]
    assert edit["previous_response_id"] == made
    assert edit["tools"][0]["action"] == "edit"
    assert "friendlier cat" in str(edit["input"])
    assert "previous_response_id" not in original
    await scene.approved(second)
    await scene.slack.wait_for(lambda: not first.buttons(), what="nothing left to use")
    assert scene.openai.paid == 2


async def test_refine_goes_by_the_bytes_where_the_provider_has_forgotten(scene: Scene) -> None:
    await scene.imagine("a cat on a roof")
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    scene.openai.forget_responses()
    await refine(scene, first, "a friendlier cat")
    await scene.draft(after=first)
    edit = scene.openai.creates[-1].body
    assert "previous_response_id" not in edit
    parts = json.dumps(edit["input"])
    assert '"input_image"' in parts
    assert "data:image/png;base64," in parts
    assert "a cat on a roof" in parts
    assert "friendlier cat" in parts
    assert scene.openai.paid == 2


async def test_refine_goes_by_slacks_copy_where_nobody_else_has_the_image(scene: Scene) -> None:
    await scene.imagine("a cat on a roof")
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    scene.openai.forget_responses()
    await scene.forget_images()
    await refine(scene, first, "a friendlier cat")
    await scene.draft(after=first)
    edit = scene.openai.creates[-1].body
    assert "previous_response_id" not in edit
    assert "data:image/png;base64," in json.dumps(edit["input"])
    assert len(scene.slack.calls_of("download")) == 1
    assert scene.openai.paid == 2


async def test_a_refine_of_what_is_gone_everywhere_says_so(scene: Scene) -> None:
    await scene.imagine("a cat on a roof")
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    scene.openai.forget_responses()
    await scene.forget_images()
    scene.slack.delete_file(first.image_ids()[0])
    await refine(scene, first, "a friendlier cat")
    failure = await scene.failure()
    assert "I no longer have the image" in failure.shown_text
    assert scene.openai.paid == 1


async def test_a_refine_form_sent_twice_counts_once(scene: Scene) -> None:
    await scene.imagine()
    first = await scene.draft()
    scene.slack.deliver_twice = True
    await refine(scene, first, "at night")
    await scene.draft(after=first)
    await scene.until_idle()
    assert len(await scene.attempts()) == 2
    assert scene.openai.paid == 2


async def test_a_refine_without_words_is_told_in_the_form(scene: Scene) -> None:
    await scene.imagine()
    first = await scene.draft()
    await scene.click(first, "Refine")
    await scene.form()
    ack = await scene.slack.submit(scene.alice, {"prompt": "  \n "})
    assert list(ack.errors or {}) == ["prompt"]
    assert len(await scene.attempts()) == 1


async def test_edit_prompt_starts_afresh_with_other_options(scene: Scene) -> None:
    await scene.imagine("a fox --ar 16:9")
    first = await scene.draft()
    await scene.click(first, "Edit prompt")
    form = await scene.form()
    assert form.state["prompt"]["prompt_input"]["value"] == "a fox"
    assert form.state["size"]["size"]["selected_option"]["value"] == "1792x1008"
    ack = await scene.slack.submit(scene.alice, {"prompt": "a vixen", "quality": "high"})
    assert ack.ok
    second = await scene.draft(after=first)
    assert "a vixen" in second.shown_text
    body = scene.openai.creates[-1].body
    assert body["input"] == "a vixen"
    assert (body["tools"][0]["size"], body["tools"][0]["quality"]) == ("1792x1008", "high")
    assert "previous_response_id" not in body


async def test_options_reach_the_provider(scene: Scene) -> None:
    await scene.imagine("a fox on the moon —ar 16:9 --quality “high” --transparent")
    draft = await scene.draft()
    body = scene.openai.creates[0].body
    assert body["input"] == "a fox on the moon"
    tool = body["tools"][0]
    assert (tool["size"], tool["quality"], tool["background"]) == (
        "1792x1008",
        "high",
        "transparent",
    )
    assert draft.shown_images()
    assert "1792×1008 · high" in (await scene.root()).shown_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a fox --ar 9:1", ("--ar", "9:1", "1:3")),
        ("a fox --size 1000x1000", ("--size", "multiples of 16")),
        ("a fox --quality superb", ("--quality", "superb", "high")),
        ("a fox --n 9", ("--n", "9", "4")),
        ("a fox --sepia", ("--sepia", "--ar")),
        ("a fox --n", ("--n",)),
    ],
)
async def test_an_option_that_cannot_be_is_told_in_private(
    scene: Scene, text: str, words: tuple[str, ...]
) -> None:
    ack = await scene.imagine(text)
    for word in (*words, text):
        assert word in str(ack.body), word
    (told,) = scene.everything()
    assert told.ephemeral_to == scene.alice.id
    assert await scene.sessions() == []
    assert scene.openai.creates == []


async def test_candidates_are_decided_about_one_by_one(scene: Scene) -> None:
    await scene.imagine("a fox on the moon --n 3")
    draft = await scene.draft()
    images = draft.shown_images()
    assert len(images) == 3
    assert labels(draft) == [*["Approve", "Refine"] * 3, "Regenerate", "Edit prompt"]
    assert (await scene.slack.click(scene.alice, draft, action_id="approve_2")).ok
    final = await scene.final(draft)
    assert final.shown_images() == images[1:2]
    await scene.slack.wait_for(lambda: not draft.buttons(), what="settled")
    assert scene.openai.paid == 3
    stored = await scene.until_stage("final")
    assert (stored["final_result"], stored["final_candidate"]) == ("1", "2")


async def test_one_candidate_that_fails_does_not_lose_the_others(scene: Scene) -> None:
    scene.openai.script(success(), moderation_failed_item(), success())
    await scene.imagine("a fox on the moon --n 3")
    draft = await scene.draft()
    assert len(draft.shown_images()) == 2
    assert "did not come" in draft.shown_text
    assert labels(draft).count("Approve") == 2
    assert len(scene.openai.creates) == 3
    await scene.approved(draft)


async def test_all_candidates_failing_is_one_failure(scene: Scene) -> None:
    scene.openai.always(moderation_400())
    await scene.imagine("a fox on the moon --n 2")
    failure = await scene.failure()
    assert "Edit prompt" in " ".join(failure.buttons())
    assert len(scene.openai.creates) == 2
    assert (await scene.until_stage("initial_input"))["error_message"]


async def test_a_candidate_of_several_is_refined(scene: Scene) -> None:
    await scene.imagine("a fox on the moon --n 2")
    first = await scene.draft()
    await scene.until_stage("user_feedback")
    assert (await scene.slack.click(scene.alice, first, action_id="refine_2")).ok
    await scene.form()
    assert (await scene.slack.submit(scene.alice, {"prompt": "a red one"})).ok
    second = await scene.draft(after=first)
    assert "from image 2 of attempt 1" in second.shown_text
    made = (await scene.attempts())[0]["candidates"][1]["response_id"]
    assert scene.openai.creates[-1].body["previous_response_id"] == made
    assert len(second.shown_images()) == 1


async def test_an_earlier_draft_can_still_be_used(scene: Scene) -> None:
    await scene.imagine()
    first = await scene.draft()
    await scene.click(first, "Regenerate")
    second = await scene.draft(after=first)
    await scene.until_stage("user_feedback")
    await scene.retired(first)
    shown = first.shown_images()
    await scene.click(first, "Approve this one")
    final = await scene.final(first)
    assert final.shown_images() == shown
    await scene.slack.wait_for(
        lambda: not first.buttons() and not second.buttons(), what="both settled"
    )
    assert (await scene.until_stage("final"))["final_result"] == "1"
    await scene.click(first, "Approve this one", stale=True)
    await scene.told("approved already")


async def test_a_regeneration_avoids_what_was_rejected(scene: Scene) -> None:
    scene.openai.script(success(revised_prompt="A vermilion fox, front view"))
    await scene.imagine("a fox")
    first = await scene.draft()
    await scene.click(first, "Regenerate")
    await scene.draft(after=first)
    again = scene.openai.creates[-1].body
    assert again["input"] == "a fox"
    assert "A vermilion fox, front view" in json.dumps({**again, "input": ""})


async def refine(scene: Scene, draft: Message, change: str) -> None:
    await scene.click(draft, "Refine")
    await scene.form()
    ack = await scene.slack.submit(scene.alice, {"prompt": change})
    assert ack.ok, ack


def labels(message: Message) -> list[str]:
    """The words of the buttons, without their icons."""
    return [
        label.split(" ", 1)[1] if not label[0].isascii() else label for label in message.buttons()
    ]
