"""Makes the README's pictures of the demo: `python -m tests.browser.screenshots`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image

from tests.browser.demo_process import DemoProcess
from tests.browser.desk import Browser, Desk, chromium, sit_down
from tests.support.processes import ROOT

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 300_000
SIZE = {"width": 1280, "height": 780}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def make() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with DemoProcess(Path(folder)) as demo, chromium() as browser:
            await _play(browser, demo.url)
            for scheme in SCHEMES:
                await _take(browser, demo.url, scheme)


async def _play(browser: Browser, url: str) -> None:
    """An approved image, and one that waits for its director."""
    context, desk = await sit_down(browser, url)
    await desk.open()
    await desk.imagine("an otter on a sofa, reading the newspaper")
    await desk.press("Approve")
    await desk.approved()
    await desk.imagine("a robot eating pizza on Mars")
    await desk.say("@imagine make it night")
    await desk.drafted(2)
    await context.close()


async def _take(browser: Browser, url: str, scheme: Literal["light", "dark"]) -> None:
    context, desk = await sit_down(browser, url, viewport=SIZE, color_scheme=scheme)
    await desk.open()
    await desk.page.get_by_role("button", name="3 replies").last.click()
    await desk.drafted(2)
    await desk.page.mouse.move(0, 0)
    await _settle(desk)
    picture = Image.open(BytesIO(await desk.page.screenshot())).convert("RGB")
    picture = picture.point([level & 0xFE for level in range(256)] * 3)  # compresses better
    path = IMAGES / f"demo-{scheme}.png"
    picture.save(path, optimize=True)
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(ROOT)} {size:,} bytes\n")
    assert size < MOST_BYTES
    await context.close()


async def _settle(desk: Desk) -> None:
    """Images that are loaded lazily are all there."""
    await desk.page.wait_for_timeout(800)


if __name__ == "__main__":
    asyncio.run(make())
