"""Narrow and wide, light and dark, and what axe-core finds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.desk import Desk, expect
from tests.browser.looks import LOOKS, look_at


@pytest.fixture(params=list(LOOKS))
def look(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def window(look: str) -> dict[str, Any]:
    return LOOKS[look]


async def test_loop_in_every_look_without_serious_findings(desk: Desk, look: str) -> None:
    await look_at(desk, f"{look}-start")
    await desk.imagine("a garden in a teacup")
    await look_at(desk, f"{look}-thread")
    await desk.press("Approve")
    final = desk.thread.locator(".message", has_text="approved image")
    await expect(final).to_be_visible()
    await desk.page.get_by_role("button", name="Close the thread").click()
    await desk.approved()
    await look_at(desk, f"{look}-approved")
    await desk.page.locator("#wire-toggle").click()
    await expect(desk.page.locator("#wire-list")).to_contain_text("chat.postMessage")
    await look_at(desk, f"{look}-wire")
    await desk.page.locator("#wire-toggle").click()
    await desk.page.locator("#timeline .picture").last.click()
    await look_at(desk, f"{look}-lightbox")
    await desk.page.keyboard.press("Escape")
    await desk.send("/imagine")
    await expect(desk.form).to_be_visible()
    await desk.form.get_by_role("button", name="Generate").click()
    await look_at(desk, f"{look}-form")


async def test_colours_can_be_switched(desk: Desk, look: str) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    seen = {await desk.page.evaluate(background)}
    for _ in range(2):
        await desk.page.locator("#theme-toggle").click()
        seen.add(await desk.page.evaluate(background))
    assert len(seen) == 2


async def test_channels_are_reached_in_every_look(desk: Desk, look: str) -> None:
    if look.startswith("narrow"):
        await desk.page.get_by_role("button", name="Channels").click()
    await desk.go_to("design")
