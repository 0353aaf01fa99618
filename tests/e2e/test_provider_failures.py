"""Every way in which the image service fails: what the person sees, what is stored, what is paid,
and how they get on. Nothing of it reaches the log but what an operator needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.workspace.files import sniff
from tests.fake_openai import (
    Outcome,
    background_unsupported,
    blocked_by_firewall,
    connection_dropped,
    cut_short,
    ends_silently,
    held,
    incomplete,
    insufficient_quota,
    invalid_api_key,
    moderation_400,
    moderation_failed_item,
    not_an_image,
    rate_limited,
    refusal_in_words,
    server_error,
    unknown_parameter,
    webp,
)
from tests.support.processes import HastyProcess
from tests.support.scene import Scene, isolated_world, new_scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROCESS = HastyProcess
RUNS = [("dev", {"IMAGE_TIMEOUT": "3", "LOG_LEVEL": "INFO"})]

PROMPT = "a very private prompt"
TRY_OR_EDIT = ["🔁 Try again", "✏️ Edit prompt"]
EDIT = ["✏️ Edit prompt"]

MODERATION = "safety system turned this prompt down"
QUOTA = "credit or spending limit is used up"
BUSY = "too busy for more images right now"
DOWN = "could not be reached or had an error of its own"
TOO_LONG = "took too long"
NOTHING = "without an image"
UNREADABLE = "could not be read as an image"


@dataclass(frozen=True)
class Failing:
    """An ending, and what comes of it. `asked` counts the calls that may be paid."""

    outcomes: tuple[Outcome, ...]
    words: str
    buttons: tuple[str, ...] = tuple(TRY_OR_EDIT)
    paid: int = 0
    asked: int = 1


def blames_prompt(outcome: Outcome, words: str = MODERATION) -> Failing:
    return Failing((outcome,), words, tuple(EDIT))


FAILURES = {
    "moderation, as a 400": blames_prompt(moderation_400()),
    "moderation, as a failed item": blames_prompt(moderation_failed_item()),
    "refused in words": blames_prompt(refusal_in_words(), "answered in words"),
    "quota": Failing((insufficient_quota(),), QUOTA),
    "bad key": Failing((invalid_api_key(),), "does not accept this bot's API key"),
    "a firewall's page": Failing((blocked_by_firewall(),), "a firewall or a proxy"),
    "a moderation that names its categories": blames_prompt(
        moderation_400(), "What it named: violence."
    ),
    "429 again and again": Failing((rate_limited(0.1),) * 3, BUSY, asked=3),
    "429 for an hour": Failing((rate_limited(3600),), BUSY),
    "500 always": Failing((server_error(),) * 3, DOWN, asked=3),
    "no end": Failing((held("generating"),), TOO_LONG),
    "cut short": Failing((incomplete(),), NOTHING),
    "not an image": Failing((not_an_image(),), UNREADABLE, paid=1),
    "half an image, again and again": Failing(
        (cut_short(),) * 3, "Only a part of the image came", paid=3, asked=3
    ),
}
"""One for each way to an end. `tests/integration/test_responses_backend.py` has every answer with
the kind of failure that it is, and `tests/unit/flow/test_endings.py` the buttons of every kind."""

MENDED = {
    "500 once": ((server_error(),), 2),
    "stream dropped while it works": ((connection_dropped("generating"),), 1),
    "stream dropped after the image": ((connection_dropped("item_done"),), 1),
    "webp": ((webp(),), 1),
}
"""As above: `tests/integration/test_responses_backend.py` breaks the stream at every point."""


@pytest.mark.parametrize("failing", FAILURES.values(), ids=FAILURES.keys())
async def test_a_failure_is_told_stored_and_led_on_from(scene: Scene, failing: Failing) -> None:
    scene.openai.script(*failing.outcomes)
    await scene.imagine(PROMPT)
    failure = await scene.failure()
    root = await scene.root()
    stored = await scene.until_stage("initial_input")

    assert failing.words in failure.shown_text
    assert failure.buttons() == list(failing.buttons)
    assert failing.words in stored["error_message"]
    assert failure.pings() == [f"<@{scene.alice.id}>"] * 2  # in its blocks and in its text
    await scene.shows(root, "Failed: see the thread")
    assert len(scene.replies(root)) == 1
    assert (scene.openai.paid, len(scene.openai.creates)) == (failing.paid, failing.asked)
    assert_log_is_clean(scene)

    if failing.buttons == tuple(TRY_OR_EDIT):
        await scene.click(failure, "Try again")
    else:
        await scene.click(failure, "Edit prompt")
        await scene.form()
        assert (await scene.slack.submit(scene.alice, {"prompt": "a calmer one"})).ok
    draft = await scene.draft(after=failure)
    assert draft.shown_images() == [scene.openai.made[-1].data]
    assert (await scene.until_stage("user_feedback"))["error_message"] == ""
    assert scene.openai.paid == failing.paid + 1


@pytest.mark.parametrize(("outcomes", "asked"), MENDED.values(), ids=MENDED.keys())
async def test_what_can_be_mended_is_not_told(
    scene: Scene, outcomes: tuple[Outcome, ...], asked: int
) -> None:
    scene.openai.script(*outcomes)
    await scene.imagine(PROMPT)
    draft = await scene.draft()
    stored = await scene.until_stage("user_feedback")
    assert stored["error_message"] == ""
    (image,) = draft.shown_images()
    assert sniff(image or b"") == "png"
    await scene.shows(await scene.root(), "Waiting for review")
    assert scene.replies(await scene.root()) == [draft]
    assert (scene.openai.paid, len(scene.openai.creates)) == (1, asked)
    assert_log_is_clean(scene)


async def test_half_an_image_is_asked_for_again_and_never_posted(scene: Scene) -> None:
    scene.openai.script(cut_short())
    await scene.imagine(PROMPT)
    draft = await scene.draft()
    assert draft.shown_images() == [scene.openai.made[-1].data]
    assert scene.openai.paid == 2
    assert_log_is_clean(scene)


async def test_what_a_person_asked_for_and_the_server_refuses_is_told(scene: Scene) -> None:
    def is_wide(body: dict[str, Any]) -> bool:
        return body["tools"][0].get("size") not in (None, "1024x1024")

    scene.openai.when(is_wide, unknown_parameter("tools[0].size"))
    try:
        await scene.imagine(f"{PROMPT} --ar 16:9")
        failure = await scene.failure()
    finally:
        scene.openai.plan.rules.clear()
    assert "does not take what you asked for here: size 1" in failure.shown_text
    assert failure.buttons() == TRY_OR_EDIT
    assert scene.openai.paid == 0


async def test_retry_after_is_waited_out(scene: Scene) -> None:
    scene.openai.script(rate_limited(1.5))
    await scene.imagine(PROMPT)
    await scene.draft()
    first, second = scene.openai.creates
    assert second.at - first.at >= 1.5


async def test_the_models_own_words_are_shown_and_ping_nobody(scene: Scene) -> None:
    said = "I can't draw <!channel>,\n<@U0BOB00000> or <https://evil.example|this> & more."
    scene.openai.script(refusal_in_words(said))
    await scene.imagine(PROMPT)
    failure = await scene.failure()
    shown = failure.blocks[0]["text"]["text"]
    assert ">I can't draw &lt;!channel&gt;,\n>&lt;@U0BOB00000&gt; or" in shown
    assert "&lt;https://evil.example|this&gt; &amp; more." in shown
    assert set(failure.pings()) == {f"<@{scene.alice.id}>"}
    assert failure.buttons() == EDIT


async def test_nothing_is_paid_any_more_once_the_time_is_up(scene: Scene) -> None:
    """The work is cancelled at the provider's."""
    scene.openai.script(held("generating"))
    await scene.imagine(PROMPT)
    await scene.failure()
    scene.openai.release()
    assert scene.openai.requests[-1].path.endswith("/cancel")
    assert scene.openai.in_flight == 0
    assert scene.openai.paid == 0


async def test_without_background_mode(tmp_path: Path) -> None:
    """Where the provider refuses it, the plain call is made; what is lost there, is told."""
    async with isolated_world(tmp_path) as world:
        await world.run("dev", LOG_LEVEL="INFO")
        scene = new_scene(world)
        scene.openai.script(background_unsupported(), background_unsupported())
        await scene.imagine(PROMPT)
        first = await scene.draft()
        assert (scene.openai.paid, len(scene.openai.creates)) == (1, 2)

        scene.openai.script(held("image", ends_silently()))  # no answer to be fetched later, either
        await scene.click(first, "Regenerate")
        failure = await scene.failure()
        assert "answer ended before the image had come" in failure.shown_text
        assert (await scene.until_stage("user_feedback"))["error_message"] in failure.shown_text
        assert len(scene.openai.creates) == 3
        assert "background" not in scene.openai.creates[-1].body
        assert_log_is_clean(scene)

        await scene.click(failure, "Try again")
        await scene.approved(await scene.draft(after=failure))
        assert world.slack.violations == []


async def test_the_images_api(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        world.process = HastyProcess
        await world.run("dev", IMAGE_BACKEND="images", LOG_LEVEL="INFO")
        scene = new_scene(world)
        scene.openai.script(rate_limited(0.1), webp(), *(server_error(),) * 3)
        await scene.imagine(PROMPT)
        first = await scene.draft()
        assert first.shown_images()[0]
        await scene.click(first, "Regenerate")
        failure = await scene.failure()
        assert DOWN in failure.shown_text
        assert failure.buttons() == TRY_OR_EDIT
        await scene.click(failure, "Try again")
        third = await scene.draft(after=failure)
        final = await scene.approved(third)
        assert final.shown_images() == [scene.openai.made[-1].data]
        assert {create.path for create in scene.openai.creates} == {"/v1/images/generations"}
        assert {create.body["prompt"] for create in scene.openai.creates} == {PROMPT}
        assert scene.openai.paid == 2
        assert_log_is_clean(scene)
        assert world.slack.violations == []


async def test_the_placeholder_needs_no_key(tmp_path: Path) -> None:
    async with isolated_world(tmp_path) as world:
        await world.run("dev", IMAGE_BACKEND="placeholder", OPENAI_API_KEY="", OPENAI_BASE_URL="")
        scene = new_scene(world)
        await scene.imagine(PROMPT)
        first = await scene.draft()
        await scene.click(first, "Regenerate")
        second = await scene.draft(after=first)
        assert first.shown_images() != second.shown_images()
        assert "1024×1024" in second.shown_text
        final = await scene.approved(second)
        assert final.shown_images() == second.shown_images()
        assert scene.openai.requests == []
        assert world.slack.violations == []


def assert_log_is_clean(scene: Scene) -> None:
    """No prompt, no key, no text of an error, no traceback."""
    world = scene.world
    for secret in (
        PROMPT,
        scene.openai.api_key,
        world.slack.bot_token,
        world.slack.app_token,
        "Traceback",
        "safety_violations",
        "Incorrect API key",
        "sk-fake",
        "must be verified",
        "Sorry about that",
        "I can't create that image",
    ):
        assert secret not in scene.log
