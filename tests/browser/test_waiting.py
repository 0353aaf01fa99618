"""While an image is made: previews, and a change of mind. The provider stands still on demand."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.browser.demo_process import FurnishedDemo
from tests.browser.page_user import SLOW, PageUser, expect
from tests.fake_openai import FakeOpenAI, moderation_400, success


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def openai() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(
    openai: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FurnishedDemo]:
    async with FurnishedDemo(
        tmp_path_factory.mktemp("waiting"), 4, "--backend", "openai", PARTIAL_IMAGES="2",
        OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=openai.api_key, JOB_LEASE="5",
    ) as running:  # fmt: skip
        yield running


@pytest.fixture(autouse=True)
def released(openai: FakeOpenAI) -> Iterator[None]:
    """Whatever happens, nothing stands still in the next test."""
    yield
    openai.release()


async def test_cancelled_image_never_comes(user: PageUser, openai: FakeOpenAI) -> None:
    openai.hold("generating")
    await user.send("/imagine a volcano of chocolate")
    root = user.page.locator("#timeline .message", has_text="a volcano of chocolate")
    await openai.until_held()
    await root.get_by_role("button", name="Cancel").click()
    await expect(root).to_contain_text("🚫 Cancelled")
    await openai.until(lambda: openai.cancelled)
    await user.screenshot("cancelled")
    await user.page.keyboard.press("Control+.")
    wire = user.page.locator("#wire-list")
    await expect(wire).to_contain_text("generating → initial_input")
    await expect(wire).to_contain_text("block_actions cancel")
    await user.page.keyboard.press("Control+.")
    openai.release()
    await root.get_by_role("button", name="Try again").click()
    await user.open_thread("a volcano of chocolate")
    await user.drafted(2)
    await expect(user.draft(1)).to_have_count(0)


async def test_previews_and_changes_of_mind_until_somebody_edits_what_was_approved(
    user: PageUser, openai: FakeOpenAI
) -> None:
    openai.hold("partials")
    await user.send("/imagine a train to the moon")
    await user.open_thread("a train to the moon")
    preview = user.thread.locator(".message", has_text="Preview of attempt 1")
    await expect(preview.locator("figure img")).to_be_visible()
    await user.screenshot("preview")
    openai.release()
    draft = await user.drafted(1)
    await expect(preview).to_have_count(0)

    openai.hold("generating")
    await user.press("Regenerate")
    await expect(draft).to_contain_text("Generating, attempt 2")
    await expect(draft).not_to_contain_text("Replaced")
    await user.screenshot("next-attempt")
    await draft.get_by_role("button", name="Cancel").click()
    openai.release()
    await user.drafted(1)
    root = user.page.locator("#timeline .message", has_text="a train to the moon")
    await expect(root.first).to_contain_text("Attempt 2 cancelled")

    openai.hold("generating")
    await user.say("@imagine with a dining car")
    await openai.until_held()
    await expect(user.draft(1).get_by_role("button", name="✅ Approve")).to_have_count(0)
    await user.send("/imagine cancel")
    await expect(await user.only_for_me()).to_contain_text("a train to the moon")
    openai.release()
    await user.drafted(1)
    await expect(root.first).to_contain_text("Attempt 3 cancelled")
    await user.press("Approve")
    await user.approved()

    await user.become("Bob")
    final = user.page.locator("#timeline .message", has_text="approved image").last
    await user.screenshot("approved")
    await final.get_by_role("button", name="Edit this image").click()
    await expect(user.form).to_contain_text("Edit this image")
    await user.submit(What_should_change="make it blue")
    mine = user.page.locator("#timeline .message", has_text="from a picture").last
    await expect(mine).to_contain_text("make it blue")
    await expect(final.get_by_role("button", name="Start over")).to_be_visible()
    await user.open_thread("make it blue")
    await user.drafted(1)


async def test_candidate_that_fails_does_not_lose_the_others(
    user: PageUser, openai: FakeOpenAI
) -> None:
    openai.script(success(), moderation_400(), success())
    draft = await user.imagine("a bear at the dentist", "--n 3")
    await expect(draft.locator("figure img")).to_have_count(2)
    await expect(draft).to_contain_text("did not come")
    await expect(draft.get_by_role("button", name="✅ Approve")).to_have_count(2)
    await user.screenshot("candidate-failed")
    await draft.get_by_role("button", name="✅ Approve").last.click()
    await user.approved()


async def test_killed_bot_comes_back_and_a_restarted_demo_goes_on(
    user: PageUser, demo: FurnishedDemo, openai: FakeOpenAI
) -> None:
    await user.imagine("a train through the desert")
    openai.hold("generating")
    await user.press("Regenerate")
    await expect(user.page.locator("#timeline")).to_contain_text("attempt 2")
    await openai.until_held()
    os.kill(await demo.bot_pid(), signal.SIGKILL)
    await expect(user.page.locator("#status")).to_have_text("Bot not connected")
    openai.release()
    await user.bot_is_there()
    await user.page.locator("#wire-toggle").click()
    await expect(user.page.locator("#wire-list")).to_contain_text("ready as @imagine")
    await user.page.locator("#wire-toggle").click()
    draft = user.thread.locator(".message", has_text="attempt 2 ·")
    await expect(draft.get_by_role("button", name="✅ Approve")).to_be_visible(timeout=2 * SLOW)

    assert await demo.stop() == 0
    await expect(user.page.get_by_role("alert").first).to_contain_text("can’t be reached")
    await demo.start()
    await user.bot_is_there()
    await expect(user.page.locator("#offline")).to_be_hidden()
    await user.page.reload()
    await user.drafted(2)
    await user.press("Approve")
    await user.approved()
