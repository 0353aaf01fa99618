"""Narrow and wide, light and dark, and what axe-core finds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.looks import LOOKS, look_at
from tests.browser.page_user import PageUser, expect


@pytest.fixture(params=list(LOOKS))
def look(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def window(look: str) -> dict[str, Any]:
    return LOOKS[look]


async def test_loop_in_every_look_without_serious_findings(user: PageUser, look: str) -> None:
    await look_at(user, f"{look}-start")
    await user.imagine("a garden in a teacup")
    await look_at(user, f"{look}-thread")
    await user.press("Approve")
    final = user.thread.locator(".message", has_text="approved image")
    await expect(final).to_be_visible()
    await user.page.get_by_role("button", name="Close the thread").click()
    await user.approved()
    await look_at(user, f"{look}-approved")
    await user.page.locator("#wire-toggle").click()
    await expect(user.page.locator("#wire-list")).to_contain_text("chat.postMessage")
    await look_at(user, f"{look}-wire")
    await user.page.locator("#wire-toggle").click()
    await user.page.locator("#timeline .picture").last.click()
    await look_at(user, f"{look}-lightbox")
    await user.page.keyboard.press("Escape")
    await user.send("/imagine")
    await expect(user.form).to_be_visible()
    await user.form.get_by_role("button", name="Generate").click()
    await look_at(user, f"{look}-form")


async def test_colours_can_be_switched(user: PageUser, look: str) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    seen = {await user.page.evaluate(background)}
    for _ in range(2):
        await user.page.locator("#theme-toggle").click()
        seen.add(await user.page.evaluate(background))
    assert len(seen) == 2


async def test_channels_are_reached_in_every_look(user: PageUser, look: str) -> None:
    if look.startswith("narrow"):
        await user.page.get_by_role("button", name="Channels").click()
    await user.go_to("design")
