"""Narrow and wide, light and dark, and what axe-core finds in each."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page_user import PageUser
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
_AT_REST = """Promise.all(document.getAnimations()
  .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
  .map((each) => each.finished.catch(() => {}))).then(() => true)"""
_AXE_RUN = """async (rules) => {
  const options = { resultTypes: ["violations"], selectors: false };
  return (await axe.run(rules ? { ...options, runOnly: rules } : options)).violations;
}"""
_OF_COLOURS = ["color-contrast"]
"""The rules that a dark page can break where the light one of the same size does not."""
_FITS = "document.documentElement.scrollWidth <= innerWidth"


async def look_at(user: PageUser, name: str) -> None:
    """A screenshot, no sideways scrolling, and no serious finding of axe-core's."""
    await user.page.wait_for_timeout(250)
    await user.page.evaluate(_AT_REST)
    await user.screenshot(name)
    assert await user.page.evaluate(_FITS)
    await _check_with_axe(user, name, _OF_COLOURS if "-dark" in name else None)


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
