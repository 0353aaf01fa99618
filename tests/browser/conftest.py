"""One demo and one browser for all tests of a process; a channel for each test."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Features, Page, Shortcut, SimulatedSlack
from tests.browser.demo_process import QUICK, FurnishedDemo
from tests.browser.pictures import picture
from tests.support.processes import free_port

if TYPE_CHECKING:
    from tests.browser.page_user import Browser, BrowserContext, Look, PageUser

HERE = Path(__file__).parent
ROOMS = 24
"""At least one for each test. The page shows them all, and the tests look through what it shows."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests share an event loop, as they share the browser."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


class Window:
    """A window with one page, which each test leaves to the next. A new window costs seconds of
    processor time, mostly to start its process. Each test has an address of its own, so that the
    page is loaded anew."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._addresses = itertools.count()
        self._opened: tuple[BrowserContext, PageUser] | None = None

    @asynccontextmanager
    async def user(
        self, url: str, look: Look, request: pytest.FixtureRequest
    ) -> AsyncIterator[PageUser]:
        """The page in a look, with nothing left of an earlier test. A failed test leaves a picture
        behind, and its window is used no more."""
        from tests.browser.page_user import open_window

        context, user = self._opened = self._opened or await open_window(self._browser, url)
        user.url, user.problems = f"{url}?{next(self._addresses)}", []
        await user.wear(look)
        yield user
        if request.node.stash.get(_FAILED, False) or user.problems:
            name = re.sub(r"\W+", "-", request.node.name)
            await user.screenshot(f"failed-{name}")
            self._opened = None
            await context.close()
        else:
            await user.leave()
        assert user.problems == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    from tests.browser.page_user import chromium

    async with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def window(browser: Browser) -> Window:
    return Window(browser)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FurnishedDemo]:
    async with FurnishedDemo(tmp_path_factory.mktemp("demo"), ROOMS, **QUICK) as running:
        yield running


@pytest.fixture
def room(demo: FurnishedDemo) -> str:
    """A channel that no other test uses."""
    return next(demo.rooms)


@pytest.fixture
def look() -> Look:
    """How wide the window is; tests of a width set their own."""
    from tests.browser.page_user import WIDE

    return WIDE


@pytest_asyncio.fixture(loop_scope="session")
async def user(
    demo: FurnishedDemo,
    window: Window,
    room: str,
    look: Look,
    request: pytest.FixtureRequest,
) -> AsyncIterator[PageUser]:
    """Alice in a channel of her own. The console has nothing to complain about in the end."""
    async with window.user(demo.url, look, request) as user:
        await user.open(f"#alice/{room}")
        yield user


@pytest.fixture
def png() -> bytes:
    """A small image."""
    return picture("teal")


@pytest.fixture(scope="session")
def bare_port() -> int:
    """The same for all tests, so that the browser keeps the page's styles and modules."""
    return free_port()


@pytest_asyncio.fixture(loop_scope="session")
async def bare(bare_port: int) -> AsyncIterator[Page]:
    """The page with no bot at all."""
    slack = SimulatedSlack(port=bare_port)
    for user in ("alice", "bob", "carol"):
        slack.direct(user)
    features = Features(shortcuts=(Shortcut("direct", "Edit this image"),), home_tab=True)
    page = Page(slack, features, {})
    await page.start()
    yield page
    await page.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def bare_user(
    bare: Page, window: Window, look: Look, request: pytest.FixtureRequest
) -> AsyncIterator[PageUser]:
    async with window.user(bare.url, look, request) as user:
        await user.page.goto(user.url)
        yield user


@pytest_asyncio.fixture(loop_scope="session")
async def app(bare: Page) -> AsyncIterator[AsyncApp]:
    """A small bot of the test's own on the bare page, connected when the test starts."""
    client = AsyncWebClient(token=bare.slack.bot_token, base_url=bare.slack.api_url)
    made = AsyncApp(client=client, signing_secret=bare.slack.signing_secret)
    handler = AsyncSocketModeHandler(made, bare.slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    yield made
    await handler.close_async()  # type: ignore[no-untyped-call]
