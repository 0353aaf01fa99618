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
from tests.browser.film import Film
from tests.browser.page_user import Browser, PageUser, chromium, expect, open_window
from tests.support.processes import ROOT

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 300_000
MOST_FILM_BYTES = 2_000_000
SIZE = {"width": 1280, "height": 780}
FILM_SIZE = {"width": 1000, "height": 780}
FILM_QUALITY = 75
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def make() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with DemoProcess(Path(folder), WORKER_CONCURRENCY="1") as demo, chromium() as browser:
            await _film(browser, demo.url)
            await _play(browser, demo.url)
            for scheme in SCHEMES:
                await _take(browser, demo.url, scheme)


async def _film(browser: Browser, url: str) -> None:
    """From the command through a refined draft to the approved image, in #design.

    Bob asks for an image just before Alice does, so that hers is queued for a moment.
    """
    bobs_context, bob = await open_window(browser, url)
    await bob.open("#bob/@imagine")
    context, user = await open_window(browser, url, viewport=FILM_SIZE, color_scheme="light")
    await user.open("#alice/design")
    film, timeline = Film(user), user.page.locator("#timeline")
    await film.start(pointer=(620, 420))
    await user.composer.click()
    await film.shoot(0.8)
    await film.type("/imagine a robot eating pizza on Mars", pause=0.7)
    await bob.send("/imagine a lighthouse in a storm")
    await user.page.keyboard.press("Enter")
    await expect(timeline).to_contain_text("robot eating pizza")
    await film.shoot_until(timeline.get_by_role("button", name="1 reply"))
    await film.click(timeline.get_by_role("button", name="1 reply"))
    await user.drafted(1)
    await _settle(user)
    await film.shoot(1.6)
    await film.click(user.thread.get_by_role("button", name="Refine"))
    await expect(user.form).to_be_visible()
    await film.shoot(0.6)
    await film.type("make it night", pause=0.6)
    await film.click(user.form.get_by_role("button", name="Generate"))
    await expect(user.form).to_be_hidden()
    await film.shoot_until(user.draft(2).get_by_role("button", name="✅ Approve"))
    await user.drafted(2)
    await _settle(user)
    await film.shoot(1.6)
    await film.click(user.thread.get_by_role("button", name="✅ Approve"))
    await film.shoot_until(timeline.get_by_role("button", name="Start over"))
    await user.approved()
    await user.page.keyboard.press("Escape")
    await _settle(user)
    await film.shoot(3.0)
    path = IMAGES / "demo.webp"
    size, seconds = film.save(path, FILM_QUALITY)
    sys.stdout.write(f"{path.relative_to(ROOT)} {size:,} bytes, {seconds:.1f} s\n")
    assert size < MOST_FILM_BYTES
    await context.close()
    await bobs_context.close()


async def _play(browser: Browser, url: str) -> None:
    """An approved image, and one that waits for its director."""
    context, user = await open_window(browser, url)
    await user.open()
    await user.imagine("an otter on a sofa, reading the newspaper")
    await user.press("Approve")
    await user.approved()
    await user.imagine("a robot eating pizza on Mars")
    await user.say("@imagine make it night")
    await user.drafted(2)
    await context.close()


async def _take(browser: Browser, url: str, scheme: Literal["light", "dark"]) -> None:
    context, user = await open_window(browser, url, viewport=SIZE, color_scheme=scheme)
    await user.open()
    await user.page.get_by_role("button", name="3 replies").last.click()
    await user.drafted(2)
    await user.page.mouse.move(0, 0)
    await _settle(user)
    picture = Image.open(BytesIO(await user.page.screenshot())).convert("RGB")
    picture = picture.point([level & 0xFE for level in range(256)] * 3)  # compresses better
    path = IMAGES / f"demo-{scheme}.png"
    picture.save(path, optimize=True)
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(ROOT)} {size:,} bytes\n")
    assert size < MOST_BYTES
    await context.close()


async def _settle(user: PageUser) -> None:
    """Images that are loaded lazily are all there."""
    await user.page.wait_for_timeout(800)


if __name__ == "__main__":
    asyncio.run(make())
