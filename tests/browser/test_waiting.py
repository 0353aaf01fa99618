"""While an image is made: previews, and a change of mind. The provider stands still on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.browser.conftest import furnish
from tests.browser.demo_process import DemoProcess
from tests.browser.page_user import PageUser, expect
from tests.fake_openai import FakeOpenAI, moderation_400, success


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def openai() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(
    openai: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[DemoProcess]:
    furnished = furnish(tmp_path_factory.mktemp("waiting") / "kept")
    async with DemoProcess(
        furnished.parent, "--data", str(furnished), "--backend", "openai",
        OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=openai.api_key, PARTIAL_IMAGES="2",
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


async def test_cancelled_refinement_leaves_the_draft_to_decide_about(
    user: PageUser, openai: FakeOpenAI
) -> None:
    await user.imagine("a train to the moon")
    openai.hold("generating")
    await user.say("@imagine with a dining car")
    await openai.until_held()
    await expect(user.draft(1).get_by_role("button", name="✅ Approve")).to_have_count(0)
    await user.send("/imagine cancel")
    await expect(await user.only_for_me()).to_contain_text("a train to the moon")
    openai.release()
    await user.drafted(1)
    root = user.page.locator("#timeline .message", has_text="a train to the moon")
    await expect(root.first).to_contain_text("Attempt 2 cancelled")
    await user.press("Approve")
    await user.approved()


async def test_next_attempt_is_followed_and_cancelled_below_the_newest_draft(
    user: PageUser, openai: FakeOpenAI
) -> None:
    draft = await user.imagine("a lighthouse on a whale")
    openai.hold("generating")
    await user.press("Regenerate")
    await expect(draft).to_contain_text("Generating, attempt 2")
    await expect(draft).not_to_contain_text("Replaced")
    await user.screenshot("next-attempt")
    await draft.get_by_role("button", name="Cancel").click()
    openai.release()
    await user.drafted(1)


async def test_anybody_edits_an_approved_image(user: PageUser) -> None:
    await user.imagine("a teapot with legs")
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


async def test_preview_is_shown_until_the_draft_comes(user: PageUser, openai: FakeOpenAI) -> None:
    openai.hold("partials")
    await user.send("/imagine a mirror in the desert")
    await user.open_thread("a mirror in the desert")
    preview = user.thread.locator(".message", has_text="Preview of attempt 1")
    await expect(preview.locator("figure img")).to_be_visible()
    await user.screenshot("preview")
    openai.release()
    await user.drafted(1)
    await expect(preview).to_have_count(0)


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
