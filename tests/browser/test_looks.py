"""Narrow and wide, light and dark, and what axe-core finds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.demo_process import QUICK, FurnishedDemo
from tests.browser.looks import look_in_both_colours
from tests.browser.page_user import NARROW, WIDE, Look, PageUser, expect

WIDTHS = {"wide": WIDE, "narrow": NARROW}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FurnishedDemo]:
    """A demo of its own: axe-core looks at all that the page shows, and it shows only this."""
    async with FurnishedDemo(tmp_path_factory.mktemp("looks"), 6, **QUICK) as running:
        yield running


@pytest.fixture(params=list(WIDTHS))
def width(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def look(width: str) -> Look:
    return WIDTHS[width]


async def test_every_look_is_without_serious_findings(user: PageUser, width: str) -> None:
    async def look_at(what: str) -> None:
        await look_in_both_colours(user, f"{width}-{{}}-{what}")

    await look_at("start")
    await user.imagine("a garden in a teacup")
    await look_at("thread")
    await user.press("Approve")
    final = user.thread.locator(".message", has_text="approved image")
    await expect(final).to_be_visible()
    await user.page.get_by_role("button", name="Close the thread").click()
    await user.approved()
    await look_at("approved")
    await user.page.locator("#wire-toggle").click()
    await expect(user.page.locator("#wire-list")).to_contain_text("chat.postMessage")
    await look_at("wire")
    await user.page.locator("#wire-toggle").click()
    await user.page.locator("#timeline .picture").last.click()
    await look_at("lightbox")
    await user.page.keyboard.press("Escape")
    await user.send("/imagine")
    await expect(user.form).to_be_visible()
    await user.form.get_by_role("button", name="Generate").click()
    await look_at("form")
    await user.page.keyboard.press("Escape")
    await expect(user.form).to_be_hidden()

    draft = await user.imagine("a teacup in a garden", "--n 2")
    await look_at("candidates")
    await draft.get_by_role("button", name="Refine").first.click()
    await expect(user.form).to_be_visible()
    await look_at("refine-form")
    await user.page.keyboard.press("Escape")

    await user.open("#alice/@imagine/home")
    shown = user.page.locator("#home")
    await expect(shown.get_by_role("heading", name="Your defaults")).to_be_visible()
    await look_at("home")
    await shown.locator("select").last.scroll_into_view_if_needed()
    await user.screenshot(f"{width}-light-home-defaults")


async def test_colours_can_be_switched(user: PageUser, look: Look) -> None:
    assert await user.page.evaluate("matchMedia('(hover: none)').matches") == look.touch
    background = "getComputedStyle(document.body).backgroundColor"
    for colours in ("light", "dark"):
        await user.page.emulate_media(color_scheme=colours)
        seen = {await user.page.evaluate(background)}
        for _ in range(3):
            await user.page.locator("#theme-toggle").click()
            seen.add(await user.page.evaluate(background))
        assert len(seen) == 2


async def test_channels_are_reached_in_every_look(user: PageUser, width: str) -> None:
    if width == "narrow":
        await user.page.get_by_role("button", name="Channels").click()
    await user.go_to("design")
