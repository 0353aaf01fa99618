"""The demo and a browser for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.browser.demo_process import DemoProcess

if TYPE_CHECKING:
    from tests.browser.desk import Desk


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[DemoProcess]:
    async with DemoProcess(tmp_path, "--data", str(tmp_path / "kept")) as running:
        yield running


@pytest.fixture
def window() -> dict[str, Any]:
    """Playwright's options for the window; tests of a size or a colour scheme set their own."""
    return {}


@pytest.fixture
async def desk(demo: DemoProcess, window: dict[str, Any]) -> AsyncIterator[Desk]:
    """Alice in #general. The browser's console has nothing to complain about in the end."""
    from tests.browser.desk import chromium, sit_down

    async with chromium() as browser:
        context, desk = await sit_down(browser, demo.url, **window)
        await desk.open()
        yield desk
        await context.close()
    assert desk.problems == []


@pytest.fixture
def png() -> bytes:
    """A small image."""
    buffer = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, "PNG")
    return buffer.getvalue()
