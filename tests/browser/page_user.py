"""What a person does on the page, in the words of a person.

What takes a while is waited for with `wait_for`: `expect` describes all of the page each time that
it looks in vain.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from bot.sandbox import PATIENCE
from tests.support.processes import ROOT

try:
    from playwright.async_api import (
        Browser,
        BrowserContext,
        CDPSession,
        FilePayload,
        Locator,
        Page,
        async_playwright,
        expect,
    )
except ImportError:
    pytest.skip("the package playwright is not installed", allow_module_level=True)

__all__ = [
    "NARROW",
    "SLOW",
    "WIDE",
    "Browser",
    "BrowserContext",
    "Locator",
    "Look",
    "PageUser",
    "chromium",
    "expect",
    "open_window",
]

_CHROMIUM, _SHELL = "/usr/bin/chromium", "/usr/bin/chromium-headless-shell"
CHROMIUM = Path(os.environ.get("CHROMIUM", _SHELL if Path(_SHELL).exists() else _CHROMIUM))
"""The shell has none of the parts that draw windows, and takes a quarter less processor time."""
SCREENSHOTS = ROOT / "artifacts" / "screenshots"
_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--process-per-site", "--renderer-process-limit=1"),
]
SLOW = 1000 * PATIENCE
"""Milliseconds for what the bot does, and for all else that is waited for."""
expect.set_options(timeout=SLOW)


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


class Look(NamedTuple):
    """Size in pixels of CSS, and whether fingers touch it."""

    width: int
    height: int
    touch: bool = False
    colours: Literal["light", "dark"] = "light"


WIDE = Look(1400, 860)
NARROW = Look(400, 780, touch=True)


class PageUser:
    """A browser window with the page. `problems` collects what its console complains about."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self._emulation: CDPSession | None = None
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self._on_console(line.type, line.text))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog {dialog.message}"))

    def _on_console(self, kind: str, text: str) -> None:
        if kind == "error" and "WebSocket" not in text and "net::ERR" not in text:
            self.problems.append(text)

    async def wear(self, look: Look) -> None:
        """Change how the window looks. When touch is turned off, `hover: none` still matches until
        the page is loaded anew."""
        await self.page.set_viewport_size({"width": look.width, "height": look.height})
        await self.page.emulate_media(color_scheme=look.colours)
        if self._emulation is None:
            self._emulation = await self.page.context.new_cdp_session(self.page)
        touch = {"enabled": look.touch}
        await self._emulation.send("Emulation.setTouchEmulationEnabled", touch)

    async def open(self, place: str = "#alice/general") -> None:
        """Go to a place as a person: `#person/channel`, or `#person/@imagine` and `…/home`."""
        await self.page.goto(self.url + place)
        person, channel = place.lstrip("#").split("/")[:2]
        await self._person(person.title()).wait_for()
        title = "imagine" if channel == "@imagine" else f"# {channel}"
        await expect(self.page.locator("#channel-title")).to_have_text(title)
        await self.bot_is_there()
        while await self.form.count():  # that an earlier test has left
            await self.page.keyboard.press("Escape")
            await expect(self.form).to_have_count(0)

    async def another_page(self) -> PageUser:
        """The same place once more, in the same window until the test ends."""
        other = PageUser(await self.page.context.new_page(), self.url)
        other.problems = self.problems
        await other.open(self.page.url.removeprefix(self.url))
        return other

    async def leave(self) -> None:
        """Leave nothing of what the page keeps in the browser."""
        for other in self.page.context.pages:
            if other is not self.page:
                await other.close()
        await self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        await self.page.mouse.move(0, 0)

    async def bot_is_there(self) -> None:
        await self.page.locator("#status", has_text=re.compile("^Bot connected$")).wait_for()

    async def go_to(self, channel: str) -> None:
        """Take the channel's link; what is written after that is written there."""
        await self.page.get_by_role("link", name=channel).click()
        await expect(self.page.locator("#channel-title")).to_have_text(f"# {channel}")

    async def become(self, name: str) -> None:
        await self.page.get_by_role("group", name="You are").get_by_text(name).click()
        await self._person(name).wait_for()

    def _person(self, name: str) -> Locator:
        """Whose eyes the page looks through."""
        return self.page.get_by_role("button", name=name, pressed=True)

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer")

    @property
    def reply(self) -> Locator:
        """The message field of the thread."""
        return self.page.locator("#reply")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    @property
    def form(self) -> Locator:
        return self.page.get_by_role("dialog")

    async def send(self, text: str) -> None:
        """Write to the channel; any suggestions are closed first, so that Enter sends."""
        await self.composer.fill(text)
        if await self.page.locator("#composer-list").is_visible():
            await self.composer.press("Escape")
        await self.composer.press("Enter")

    async def attach(self, files: dict[str, bytes], place: str = "#channel") -> None:
        """Choose pictures with the paper clip."""
        chosen: list[FilePayload] = [
            {"name": name, "mimeType": "image/png", "buffer": data} for name, data in files.items()
        ]
        await self.page.locator(f"{place} input[type=file]").set_input_files(chosen)

    async def say(self, text: str) -> None:
        """Write where the focus of the conversation is: in the thread, or else in the channel."""
        field = self.reply if await self.thread.is_visible() else self.composer
        await field.fill(text)
        await field.press("Enter")

    async def imagine(self, prompt: str, options: str = "") -> Locator:
        """Ask for an image and open its thread when the draft is there, which is answered."""
        await self.send(f"/imagine {prompt} {options}".rstrip())
        await self.open_thread(prompt)
        return await self.drafted(1)

    async def open_thread(self, prompt: str) -> None:
        """Of the session with this prompt, once there is something in it."""
        bar = self.page.locator("#timeline .message", has_text=prompt).get_by_role(
            "button", name="reply"
        )
        await bar.last.click()
        await self.thread.locator(".message", has_text=prompt).first.wait_for()

    def draft(self, attempt: int) -> Locator:
        """The message with the images of an attempt."""
        line = re.compile(rf"@\w+, attempt {attempt}\b")
        images = self.thread.locator(".message", has=self.page.locator("figure"))
        return images.filter(has_text=line)

    async def drafted(self, attempt: int) -> Locator:
        """The attempt is there to be decided about."""
        draft = self.draft(attempt)
        await draft.get_by_role("button", name="✅ Approve").first.wait_for()
        await expect(draft.locator("figure img").last).to_have_js_property("complete", value=True)
        return draft

    async def press(self, name: str) -> None:
        await self.thread.get_by_role("button", name=name).last.click()

    async def submit(self, **fields: str) -> None:
        """Fill in the form's fields, named by their labels with _ for spaces, and send it."""
        for label, value in fields.items():
            field = self.form.get_by_label(label.replace("_", " "))
            if await field.evaluate("node => node.matches('select')"):
                await field.select_option(value)
            else:
                await field.fill(value)
        await self.form.get_by_role("button", name="Generate").click()
        await expect(self.form).to_be_hidden()

    async def approved(self) -> None:
        """The final image is in the channel, sent from the thread."""
        final = self.page.locator("#timeline .message", has_text="approved image")
        await final.last.get_by_role("button", name="Start over").wait_for()
        await expect(final.last).to_contain_text("replied to a thread")

    async def only_for_me(self) -> Locator:
        message = self.page.locator(".message.ephemeral").last
        await message.wait_for()
        return message

    @property
    def width(self) -> int:
        size = self.page.viewport_size
        assert size is not None
        return size["width"]

    async def screenshot(self, name: str) -> Path:
        path = SCREENSHOTS / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path, type="jpeg", quality=85)
        return path


async def open_window(
    browser: Browser, url: str, **options: Any
) -> tuple[BrowserContext, PageUser]:
    """A new window; `options` are Playwright's, such as `viewport` and `color_scheme`."""
    options.setdefault("viewport", {"width": WIDE.width, "height": WIDE.height})
    context = await browser.new_context(**options)
    context.set_default_timeout(SLOW)
    return context, PageUser(await context.new_page(), url)
