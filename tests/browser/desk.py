"""What a person does on the page, in the words of a person."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT

try:
    from playwright.async_api import (
        Browser,
        BrowserContext,
        Locator,
        Page,
        async_playwright,
        expect,
    )
except ImportError:
    pytest.skip("the package playwright is not installed", allow_module_level=True)

__all__ = ["SLOW", "Browser", "Desk", "chromium", "expect", "sit_down"]

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
SCREENSHOTS = ROOT / "artifacts" / "screenshots"
_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
SLOW = 20_000
"""Milliseconds for what the bot does."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser; where there is none, the test is skipped."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=_ARGUMENTS, handle_sigint=False
        )
        yield browser
        await browser.close()


class Desk:
    """A browser window with the page. `problems` collects what its console complains about."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self._hear(line.type, line.text))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog {dialog.message}"))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "WebSocket" not in text and "net::ERR" not in text:
            self.problems.append(text)

    async def open(self, place: str = "#alice/general") -> None:
        await self.page.goto(self.url + place)
        await self.bot_is_there()

    async def bot_is_there(self) -> None:
        await expect(self.page.locator("#status")).to_have_text("Bot connected", timeout=SLOW)

    async def become(self, name: str) -> None:
        await self.page.get_by_role("group", name="You are").get_by_text(name).click()
        await expect(self.page.get_by_role("button", name=name, pressed=True)).to_be_visible()

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    @property
    def form(self) -> Locator:
        return self.page.get_by_role("dialog")

    async def send(self, text: str) -> None:
        """Type and send; any suggestions are closed first, so that Enter sends."""
        await self.composer.fill(text)
        await self.composer.press("Escape")
        await self.composer.press("Enter")

    async def imagine(self, prompt: str) -> None:
        """Ask for an image and open its thread when the draft is there."""
        await self.send(f"/imagine {prompt}")
        bar = self.page.locator(".message", has_text=prompt).get_by_role("button", name="reply")
        await bar.last.click(timeout=SLOW)
        await expect(self.thread.locator(".message", has_text=prompt).first).to_be_visible()
        await self.drafted(1)

    async def drafted(self, attempt: int) -> None:
        """The attempt is there to be decided about."""
        draft = self.thread.locator(".message", has_text=f"attempt {attempt} ·")
        await expect(draft.get_by_role("button", name="Approve")).to_be_visible(timeout=SLOW)
        await expect(draft.locator("img").last).to_have_js_property("complete", value=True)

    async def press(self, name: str) -> None:
        await self.thread.get_by_role("button", name=name).last.click()

    async def approved(self) -> None:
        """The final image is in the channel, sent from the thread."""
        final = self.page.locator("#timeline .message", has_text="approved image")
        await expect(final.last).to_contain_text("replied to a thread", timeout=SLOW)
        await expect(final.last.get_by_role("button", name="Start over")).to_be_visible()

    async def only_for_me(self) -> Locator:
        message = self.page.locator(".message.ephemeral").last
        await expect(message).to_be_visible(timeout=SLOW)
        return message

    async def screenshot(self, name: str) -> Path:
        path = SCREENSHOTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path)
        return path


async def sit_down(browser: Browser, url: str, **options: Any) -> tuple[BrowserContext, Desk]:
    """A new window; `options` are Playwright's, such as `viewport` and `color_scheme`."""
    options.setdefault("viewport", {"width": 1400, "height": 860})
    context = await browser.new_context(**options)
    context.set_default_timeout(10_000)
    return context, Desk(await context.new_page(), url)
