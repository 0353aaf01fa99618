"""What is looked at in light and in dark colours, and what axe-core finds there."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import pytest

from tests.browser.page_user import PageUser
from tests.support.processes import ROOT

AXE = Path(os.environ.get("AXE_CORE") or ROOT / "artifacts/npm/node_modules/axe-core/axe.min.js")
_AT_REST = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.all([...document.images].map((each) => each.decode().catch(() => {})));
  await Promise.all(document.getAnimations()
    .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
    .map((each) => each.finished.catch(() => {})));
}"""
# What is behind an open dialog is inert.
_AXE_RUN = """async (rules) => {
  const options = { resultTypes: ["violations"], selectors: false };
  const shown = document.querySelector("dialog[open]") ?? document;
  return (await axe.run(shown, rules ? { ...options, runOnly: rules } : options)).violations;
}"""
_OF_COLOURS = ["color-contrast"]
"""The rules that a dark page can break where the light one of the same size does not."""
_FITS = "document.documentElement.scrollWidth <= innerWidth"


async def look_at(user: PageUser, name: str) -> None:
    """A screenshot, no sideways scrolling, and no serious finding of axe-core's."""
    await user.page.evaluate(_AT_REST)
    await user.screenshot(name)
    assert await user.page.evaluate(_FITS)
    await _check_with_axe(user, name, _OF_COLOURS if "-dark" in name else None)


async def look_in_both_colours(user: PageUser, name: str) -> None:
    """The same in light and in dark colours; it is light again in the end."""
    await look_at(user, name.format("light"))
    await user.page.emulate_media(color_scheme="dark")
    await look_at(user, name.format("dark"))
    await user.page.emulate_media(color_scheme="light")


async def _check_with_axe(user: PageUser, name: str, rules: list[str] | None) -> None:
    source = _axe()
    if source is None:
        pytest.skip(f"axe-core is not at {AXE}: npm install --prefix artifacts/npm axe-core")
    if not await user.page.evaluate("'axe' in window"):
        await user.page.evaluate(source)
    violations = await user.page.evaluate(_AXE_RUN, rules)
    serious = [
        f"{finding['id']}: {[node['html'][:160] for node in finding['nodes']]}"
        for finding in violations
        if finding["impact"] in ("serious", "critical")
    ]
    assert serious == [], name


@lru_cache(maxsize=1)
def _axe() -> str | None:
    return AXE.read_text(encoding="utf-8") if AXE.exists() else None
