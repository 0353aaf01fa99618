"""Narrow and wide, light and dark, and what axe-core finds."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.browser.desk import SLOW, Desk, expect
from tests.support.processes import ROOT

AXE = Path(os.environ.get("AXE_CORE") or ROOT / "artifacts/npm/node_modules/axe-core/axe.min.js")
WIDE = {"viewport": {"width": 1400, "height": 860}}
NARROW = {"viewport": {"width": 400, "height": 780}, "has_touch": True}
LOOKS: dict[str, dict[str, Any]] = {
    "wide-light": {**WIDE, "color_scheme": "light"},
    "wide-dark": {**WIDE, "color_scheme": "dark"},
    "narrow-light": {**NARROW, "color_scheme": "light"},
    "narrow-dark": {**NARROW, "color_scheme": "dark"},
}
_FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(params=list(LOOKS))
def look(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def window(look: str) -> dict[str, Any]:
    return LOOKS[look]


async def test_loop_in_every_look_without_serious_findings(desk: Desk, look: str) -> None:
    await _look_at(desk, f"{look}-start")
    await desk.imagine("a garden in a teacup")
    await _look_at(desk, f"{look}-thread")
    await desk.press("Approve")
    final = desk.thread.locator(".message", has_text="approved image")
    await expect(final).to_be_visible(timeout=SLOW)
    await desk.page.get_by_role("button", name="Close the thread").click()
    await desk.approved()
    await _look_at(desk, f"{look}-approved")
    await desk.page.locator("#wire-toggle").click()
    await expect(desk.page.locator("#wire-list")).to_contain_text("chat.postMessage")
    await _look_at(desk, f"{look}-wire")
    await desk.page.locator("#wire-toggle").click()
    await desk.page.locator("#timeline .picture").last.click()
    await _look_at(desk, f"{look}-lightbox")
    await desk.page.keyboard.press("Escape")
    await desk.send("/imagine")
    await expect(desk.form).to_be_visible()
    await desk.form.get_by_role("button", name="Generate").click()
    await _look_at(desk, f"{look}-form")


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
    await desk.page.get_by_role("link", name="design").click()
    await expect(desk.page.get_by_role("heading", name="# design")).to_be_visible()


async def _look_at(desk: Desk, name: str) -> None:
    """A screenshot, no sideways scrolling, and no serious finding of axe-core's."""
    await desk.page.wait_for_timeout(250)
    await desk.screenshot(name)
    assert await desk.page.evaluate(_FITS)
    await _check_with_axe(desk, name)


async def _check_with_axe(desk: Desk, name: str) -> None:
    source = _axe()
    if source is None:
        pytest.skip(f"axe-core is not at {AXE}: npm install --prefix artifacts/npm axe-core")
    await desk.page.evaluate(source)
    result = await desk.page.evaluate("axe.run()")
    serious = [
        f"{finding['id']}: {[node['html'][:160] for node in finding['nodes']]}"
        for finding in result["violations"]
        if finding["impact"] in ("serious", "critical")
    ]
    assert serious == [], name


@lru_cache(maxsize=1)
def _axe() -> str | None:
    return AXE.read_text(encoding="utf-8") if AXE.exists() else None
