"""The bot's Home tab: what is in progress, what was approved, one's defaults."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.demo_process import QUICK, FurnishedDemo
from tests.browser.page_user import Locator, PageUser, expect


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FurnishedDemo]:
    """A demo of its own: nobody has anything in progress at first."""
    async with FurnishedDemo(tmp_path_factory.mktemp("home"), 2, **QUICK) as running:
        yield running


async def test_home_pages_and_leads_to_threads(user: PageUser, room: str) -> None:
    await user.imagine("a kite shaped like a whale")
    await user.press("Approve")
    await user.approved()
    await user.page.get_by_role("button", name="Close the thread").click()
    for number in range(6):
        await user.send(f"/imagine idea number {number}")
    ideas = user.page.locator("#timeline .message", has_text="idea number")
    await expect(ideas).to_have_count(6)
    shown = await _at_home(user)
    await expect(shown.get_by_role("heading", name="In progress (6)")).to_be_visible()
    gallery = shown.get_by_role("img", name="a kite shaped like a whale")
    await expect(gallery).to_have_js_property("complete", value=True)
    listed = shown.locator(".plain_text", has_text="idea number")
    await expect(listed).to_have_count(5)
    await user.screenshot("home")
    await shown.get_by_role("button", name="Older →").focus()
    await user.page.keyboard.press("Enter")
    await expect(listed).to_have_count(1)
    idea = await listed.inner_text()
    await shown.get_by_role("link", name="Open thread").click()
    await expect(user.page.get_by_role("heading", name=f"# {room}")).to_be_visible()
    await expect(user.thread.locator(".plain_text")).to_have_text([idea])
    await user.drafted(1)


async def test_defaults_are_kept_and_used(user: PageUser, room: str) -> None:
    await user.become("Bob")
    shown = await _at_home(user)
    await expect(shown).to_contain_text("Nothing is in progress")
    await _choose(shown, "Size", "Size: Tall 9:16")
    await _choose(shown, "Images", "Images: 2")
    await user.become("Carol")
    await expect(_select(shown, "Size")).to_have_value("default")
    await user.open(f"#bob/{room}")
    draft = await user.imagine("a tower of books")
    await expect(draft.locator("figure img")).to_have_count(2)
    width, height = await draft.locator("figure img").first.evaluate(
        "node => [node.naturalWidth, node.naturalHeight]"
    )
    assert abs(width / height - 9 / 16) < 0.05
    shown = await _at_home(user)
    await expect(_select(shown, "Size").locator("option:checked")).to_have_text("Size: Tall 9:16")


async def _at_home(user: PageUser) -> Locator:
    person = await user.page.evaluate("location.hash.slice(1).split('/')[0]")
    await user.open(f"#{person}/@imagine/home")
    shown = user.page.locator("#home")
    await expect(shown).to_contain_text("How it works")
    return shown


def _select(shown: Locator, name: str) -> Locator:
    return shown.locator("select", has_text=f"{name}: ")


async def _choose(shown: Locator, name: str, label: str) -> None:
    await _select(shown, name).select_option(label=label)
    checked = _select(shown, name).locator("option:checked")
    await expect(checked).to_have_text(label)
    await expect(_select(shown, name)).not_to_have_attribute("aria-busy", "true")
