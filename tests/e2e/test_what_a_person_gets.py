"""The loop as a person sees it, line by line: command, draft, regenerate, approve, start over,
failure, and what everybody else may not do. Over Socket Mode and over HTTP."""

from __future__ import annotations

import re

import pytest

from bot.sandbox import Fault, Message
from bot.sandbox.workspace.files import dimensions
from tests.fake_openai import incomplete, moderation_400, server_error, slow, success
from tests.support.processes import HastyProcess
from tests.support.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROCESS = HastyProcess
RUNS = [("web", {}), ("worker", {"WORKER_CONCURRENCY": "1"})]
"""One image at a time, so that a queue is easy to make."""

PROMPT = "a robot eating pizza on Mars"
LABEL = "AI-generated · gpt-image-2.5-flare"
LIVE = ["✅ Approve", "🔁 Regenerate", "🪄 Refine", "✏️ Edit prompt"]
"""The buttons of the draft to decide about."""


# 1: the command


async def test_the_command_is_answered_at_once_with_who_and_what(scene: Scene) -> None:
    scene.openai.hold("generating")
    await scene.imagine(PROMPT)
    root = await scene.root()
    assert scene.alice.id in root.shown_text
    assert PROMPT in root.shown_text
    assert "Queued" in statuses(root)[0]
    assert not root.image_ids()
    assert " ".join(root.buttons()) == "🛑 Cancel"


async def test_the_status_says_how_far_it_is(scene: Scene) -> None:
    """Queued, generating with seconds, uploading, waiting for review, approved."""
    scene.openai.hold("generating")
    scene.slack.faults.add("files.getUploadURLExternal", Fault.delay(2.0))
    await scene.imagine()
    root = await scene.root()
    await scene.slack.wait_for(
        lambda: re.search(r"Generating… [1-9]\d* s", root.shown_text), what="seconds that go on"
    )
    scene.openai.release()
    draft = await scene.draft()
    await scene.shows(root, "Waiting for review")
    await scene.approved(draft)
    steps = [re.sub(r"\d+ s$", "k s", status) for status in statuses(root)]
    assert without_repeats(steps) == [
        "⏳ Queued",
        "🎨 Generating… k s",
        "📤 Uploading…",
        f"👀 Waiting for review by <@{scene.alice.id}>",
        f"✅ Approved by <@{scene.alice.id}>",
    ]


async def test_the_status_says_how_many_are_ahead(scene: Scene) -> None:
    scene.openai.hold("generating")
    roots = []
    for number in range(4):
        await scene.imagine(f"idea {number}")
        roots.append(await scene.slack.wait_for_message(scene.channel, text=f"idea {number}"))
        await scene.openai.until_held()
        await scene.until_queued(number)
    assert [statuses(root)[0] for root in roots[1:]] == [
        "⏳ Queued",
        "⏳ Queued, 1 ahead",
        "⏳ Queued, 2 ahead",
    ]
    scene.openai.release(1)
    await scene.shows(roots[0], "Waiting for review")
    await scene.shows(roots[1], "Generating")
    await scene.slack.wait_for(lambda: statuses(roots[2])[-1] == "⏳ Queued", what="next in line")
    await scene.shows(roots[3], "1 ahead")
    scene.openai.release()
    for root in roots:
        await scene.shows(root, "Waiting for review")
    assert scene.openai.max_in_flight == 1


async def test_the_command_alone_opens_a_form(scene: Scene) -> None:
    await scene.imagine("")
    form = await scene.form()
    assert form.content["blocks"][0]["element"]["multiline"] is True
    assert (await scene.stored())["stage"] == "initial_input"

    assert (await scene.slack.submit(scene.alice, {"prompt": ""})).error == "client_refused"
    ack = await scene.slack.submit(scene.alice, {"prompt": "  \n "})
    assert ack.errors == {"prompt": "Please say what the image should show."}
    assert (await scene.stored())["stage"] == "initial_input"
    assert scene.everything() == []

    ack = await scene.slack.submit(scene.alice, {"prompt": f"{PROMPT},\nat night"})
    assert ack.ok
    assert not form.open
    draft = await scene.draft()
    assert f"{PROMPT},\nat night" in draft.shown_text
    assert (await scene.until_stage("user_feedback"))["task_input"] == f"{PROMPT},\nat night"


async def test_a_closed_form_leaves_nothing_behind_in_the_channel(scene: Scene) -> None:
    await scene.imagine(" ")
    await scene.form()
    await scene.slack.close_view(scene.alice)
    assert scene.everything() == []
    assert scene.openai.creates == []


async def test_help_is_told_in_private(scene: Scene) -> None:
    ack = await scene.imagine(" Help ")
    assert "/imagine a robot eating pizza on Mars" in str(ack.body)
    (told,) = scene.everything()
    assert told.ephemeral_to == scene.alice.id
    assert await scene.sessions() == []


# 2: the draft


async def test_the_draft_comes_to_the_thread_and_nothing_to_the_channel(scene: Scene) -> None:
    scene.openai.script(slow(1.2, success()))
    await scene.imagine(PROMPT)
    draft = await scene.draft()
    root = await scene.root()
    (image,) = draft.shown_images()
    assert image == scene.openai.made[0].data
    assert draft.blocks[0]["alt_text"] == f"{LABEL}: {PROMPT}"
    assert draft.buttons() == LIVE
    width, height = dimensions(image)
    assert re.search(rf"attempt 1 · {width}×{height} · [1-9]\d* s", draft.shown_text)
    assert not draft.reply_broadcast
    assert scene.slack.timeline(scene.channel) == [root]
    stored = await scene.until_stage("user_feedback")
    assert stored["input_used_by_process"] == PROMPT
    assert stored["error_message"] == ""
    assert len(await scene.image_keys()) == 1


# 3: regenerate


async def test_regenerate_twice_keeps_every_image(scene: Scene) -> None:
    await scene.imagine(PROMPT)
    first = await scene.draft()
    await scene.click(first, "Regenerate")
    second = await scene.draft(after=first)
    await scene.click(second, "Regenerate")
    third = await scene.draft(after=second)
    await scene.until_stage("user_feedback")

    assert "attempt 3" in third.shown_text
    for old in (first, second):
        await scene.retired(old)
        await scene.shows(old, "Replaced by attempt 3")
    images = [draft.shown_images()[0] for draft in (first, second, third)]
    assert images == [made.data for made in scene.openai.made]
    assert len(set(images)) == 3
    assert [create.body["input"] for create in scene.openai.creates] == [PROMPT] * 3
    assert len(scene.slack.timeline(scene.channel)) == 1
    assert [attempt["prompt"] for attempt in await scene.attempts()] == [PROMPT] * 3


async def test_the_status_tells_of_the_new_attempt(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    scene.openai.hold("generating")
    await scene.click(draft, "Regenerate")
    root = await scene.root()
    await scene.shows(root, ", attempt 2")
    await scene.waits_for_next(draft)
    await scene.shows(draft, "Generating, attempt 2")
    scene.openai.release()
    await scene.draft(after=draft)
    await scene.retired(draft)
    await scene.shows(root, "Waiting for review")


# 4: approve


async def test_approve_shows_the_image_to_the_channel(scene: Scene) -> None:
    await scene.imagine(PROMPT)
    draft = await scene.draft()
    final = await scene.approved(draft)
    root = await scene.root()
    assert final.reply_broadcast
    assert final.buttons() == ["🪄 Edit this image", "🔄 Start over"]
    assert final.shown_images() == draft.shown_images()
    assert LABEL in draft.shown_text
    assert LABEL in final.shown_text
    assert final.blocks[1]["alt_text"] == f"{LABEL}: {PROMPT}"
    assert PROMPT in final.shown_text
    assert scene.slack.timeline(scene.channel) == [root, final]
    assert draft.buttons() == []
    assert f"Approved by <@{scene.alice.id}>" in draft.shown_text
    assert f"Approved by <@{scene.alice.id}>" in root.shown_text
    stored = await scene.stored()
    assert (stored["stage"], stored["final_result"]) == ("final", "1")
    scene.assert_posted_once()


async def test_a_later_attempt_can_be_the_final_one(scene: Scene) -> None:
    await scene.imagine()
    first = await scene.draft()
    await scene.click(first, "Regenerate")
    second = await scene.draft(after=first)
    final = await scene.approved(second)
    assert final.shown_images() == second.shown_images() != first.shown_images()
    assert (await scene.stored())["final_result"] == "2"


# 5: start over


async def test_start_over_begins_anew_and_leaves_the_approved_image_as_it_is(scene: Scene) -> None:
    await scene.imagine(PROMPT)
    draft = await scene.draft()
    final = await scene.approved(draft)
    await scene.click(final, "Start over")
    form = await scene.form()
    assert form.value("prompt") == PROMPT
    assert (await scene.sessions())[0]["stage"] == "final"
    assert len(await scene.image_keys()) == 1

    root = await scene.root()
    scene.openai.hold("generating")
    assert (await scene.slack.submit(scene.alice, {"prompt": f"{PROMPT}, but blue"})).ok
    new_root = await scene.root(after=root)
    assert f"{PROMPT}, but blue" in new_root.shown_text
    old, new = await scene.sessions()
    assert (old["stage"], old["task_input"], old["final_result"]) == ("final", PROMPT, "1")
    assert (new["stage"], new["task_input"]) == ("generating", f"{PROMPT}, but blue")
    assert len(await scene.image_keys()) == 1

    assert final.shown_images() == draft.shown_images()
    assert LABEL in draft.shown_text
    assert LABEL in final.shown_text
    scene.openai.release()
    second = await scene.draft()
    assert second.thread_ts == new_root.ts
    await scene.approved(second)
    assert len(scene.slack.timeline(scene.channel)) == 4
    assert final.buttons() == ["🪄 Edit this image", "🔄 Start over"]


async def test_anybody_edits_an_approved_image_in_a_session_of_their_own(scene: Scene) -> None:
    await scene.imagine(PROMPT)
    final = await scene.approved(await scene.draft())
    await scene.until_publication("shown")
    root, before = await scene.root(), await scene.stored()
    await scene.click(final, "Edit this image", scene.bob)
    await scene.slack.wait_for(lambda: scene.slack.open_view(scene.bob), what="the form")
    assert (await scene.slack.submit(scene.bob, {"prompt": "make it blue"})).ok
    new_root = await scene.root(after=root)
    assert f"<@{scene.bob.id}> imagines" in new_root.shown_text
    assert "from a picture" in new_root.shown_text
    await scene.draft()
    assert len(await scene.sessions()) == 2
    assert (await scene.sessions())[0] == before
    assert final.buttons() == ["🪄 Edit this image", "🔄 Start over"]


async def test_start_over_counts_only_once_the_form_is_sent(scene: Scene) -> None:
    await scene.imagine()
    final = await scene.approved(await scene.draft())
    root = await scene.root()
    await scene.click(final, "Start over")
    await scene.form()
    await scene.slack.close_view(scene.alice)
    assert (await scene.sessions())[0]["stage"] == "final"
    assert final.buttons() == ["🪄 Edit this image", "🔄 Start over"]
    await scene.click(final, "Start over")
    await scene.form()
    assert (await scene.slack.submit(scene.alice)).ok
    await scene.root(after=root)
    await scene.draft()


# 6: a failure


async def test_a_failure_says_what_to_do_and_trying_again_mends_it(scene: Scene) -> None:
    scene.openai.script(incomplete())
    await scene.imagine(PROMPT)
    failure = await scene.failure()
    root = await scene.root()
    stored = await scene.until_stage("initial_input")
    assert "without an image" in stored["error_message"]
    assert stored["error_message"] in failure.shown_text
    assert failure.buttons() == ["🔁 Try again", "✏️ Edit prompt"]
    await scene.shows(root, "Failed: see the thread")

    scene.openai.hold("generating")
    await scene.click(failure, "Try again")
    assert (await scene.until_stage("generating"))["error_message"] == ""
    await scene.waits_for_next(failure)
    await scene.shows(failure, "Generating, attempt 2")
    scene.openai.release()
    await scene.draft(after=failure)
    await scene.shows(failure, "Followed by attempt 2")
    assert failure.buttons() == []
    assert (await scene.until_stage("user_feedback"))["error_message"] == ""
    await scene.shows(root, "Waiting for review")


async def test_the_prompt_can_be_edited_after_it_was_refused(scene: Scene) -> None:
    scene.openai.script(moderation_400())
    await scene.imagine("a fight")
    failure = await scene.failure()
    await scene.click(failure, "Edit prompt")
    form = await scene.form()
    assert form.value("prompt") == "a fight"
    assert (await scene.slack.submit(scene.alice, {"prompt": "a friendly match"})).ok
    draft = await scene.draft(after=failure)
    assert draft.blocks[0]["alt_text"] == f"{LABEL}: a friendly match"
    assert [create.body["input"] for create in scene.openai.creates] == [
        "a fight",
        "a friendly match",
    ]
    assert "a friendly match" in (await scene.root()).shown_text
    final = await scene.approved(draft)
    assert "a friendly match" in final.shown_text


async def test_after_a_failure_the_earlier_draft_can_still_be_approved(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    scene.openai.script(incomplete())
    await scene.click(draft, "Regenerate")
    failure = await scene.failure()
    stored = await scene.until_stage("user_feedback")
    assert "without an image" in stored["error_message"]
    await scene.slack.wait_for(lambda: draft.buttons() == LIVE, what="the draft's buttons back")
    final = await scene.approved(draft)
    assert final.shown_images() == draft.shown_images()
    assert LABEL in draft.shown_text
    assert LABEL in final.shown_text
    assert "approved already" in await answer_to(scene, failure, "Try again")
    assert (await scene.stored())["final_result"] == "1"
    assert scene.openai.paid == 1


async def test_after_a_failure_another_attempt_leads_on(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    scene.openai.script(incomplete())
    await scene.click(draft, "Regenerate")
    failure = await scene.failure()
    await scene.click(failure, "Try again")
    third = await scene.draft(after=failure)
    assert "attempt 3" in third.shown_text
    await scene.retired(draft)
    assert (await scene.until_stage("user_feedback"))["error_message"] == ""


# 7: what is refused


async def test_nobody_else_can_decide(scene: Scene) -> None:
    scene.openai.script(incomplete())
    await scene.imagine()
    failure = await scene.failure()
    await scene.until_stage("initial_input")
    await refused(scene, failure, "Try again")
    await refused(scene, failure, "Edit prompt")
    await scene.click(failure, "Try again")
    draft = await scene.draft(after=failure)
    await scene.until_stage("user_feedback")
    await refused(scene, draft, "Approve")
    await refused(scene, draft, "Regenerate")
    await scene.approved(draft)
    scene.assert_posted_once()


async def refused(scene: Scene, message: Message, label: str) -> None:
    """Bob presses it: he alone is told why not, there, and nothing changes."""
    before, seen = await scene.stored(), len(scene.everything())
    await scene.click(message, label, scene.bob)
    await scene.slack.wait_for(lambda: scene.everything()[seen:], what="an answer")
    (told,) = scene.everything()[seen:]
    assert f"only <@{scene.alice.id}> can decide" in told.shown_text
    assert told.ephemeral_to == scene.bob.id
    assert told.thread_ts == (None if message.reply_broadcast else message.thread_ts)
    assert await scene.stored() == before


async def test_a_button_of_an_old_draft_is_told_that_it_has_moved_on(scene: Scene) -> None:
    await scene.imagine()
    first = await scene.draft()
    scene.openai.hold("generating")
    await scene.click(first, "Regenerate")
    await scene.waits_for_next(first)
    assert "still working" in await answer_to(scene, first, "Approve")
    scene.openai.release()
    second = await scene.draft(after=first)
    before = await scene.until_stage("user_feedback")
    await scene.retired(first)
    assert "moved on" in await answer_to(scene, first, "Regenerate")
    assert await scene.stored() == before
    assert second.buttons()
    assert scene.openai.paid == 2


async def test_what_is_approved_stays_approved(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    await scene.approved(draft)
    await scene.until_publication("shown")
    before = await scene.stored()
    for label in ("Approve", "Regenerate"):
        assert "approved already" in await answer_to(scene, draft, label)
    assert await scene.stored() == before
    scene.assert_posted_once()


async def test_what_has_expired_is_told_so(scene: Scene) -> None:
    scene.openai.script(server_error(), server_error(), server_error())
    await scene.imagine()
    failure = await scene.failure()
    await scene.click(failure, "Try again")
    draft = await scene.draft(after=failure)
    final = await scene.approved(draft)
    await scene.click(final, "Start over")
    form = await scene.form()
    await scene.forget_sessions()
    ack = await scene.slack.submit(scene.alice, view=form)
    assert "expired: type /imagine again" in ack.errors["prompt"]
    posted = len(scene.slack.timeline(scene.channel))
    for message, label in ((draft, "Approve"), (failure, "Try again"), (final, "Start over")):
        told = await answer_to(scene, message, label)
        assert "This one has expired: type `/imagine` again" in told
    assert await scene.sessions() == []
    assert len(scene.slack.timeline(scene.channel)) == posted


async def answer_to(scene: Scene, message: Message, label: str) -> str:
    """What Alice is told in private when she presses a button that is not there any more."""
    before = len(scene.slack.ephemerals(scene.alice, scene.channel))
    await scene.click(message, label, stale=True)

    def newest() -> Message | None:
        return next(iter(scene.slack.ephemerals(scene.alice, scene.channel)[before:]), None)

    return (await scene.slack.wait_for(newest, what=f"an answer to {label}")).shown_text


def statuses(root: Message) -> list[str]:
    """The status line in each state that a root message was in, oldest first."""
    lines = [
        next(block for block in state.blocks if block["type"] == "context")
        for state in root.history
    ]
    return [str(line["elements"][0]["text"]) for line in lines]


def without_repeats(steps: list[str]) -> list[str]:
    return [step for n, step in enumerate(steps) if n == 0 or steps[n - 1] != step]
