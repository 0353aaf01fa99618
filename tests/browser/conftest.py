"""One demo and one browser for all tests of a process; a channel for each test."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Features, Page, Shortcut, SimulatedSlack, WorkspaceStorage
from tests.browser.demo_process import QUICK, DemoProcess
from tests.browser.pictures import picture
from tests.support.processes import free_port

if TYPE_CHECKING:
    from tests.browser.page_user import Browser, BrowserContext, PageUser

HERE = Path(__file__).parent
ROOMS = 80
"""Channels for the tests of one process."""


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


class Windows:
    """A window for each set of Playwright's options, and in it one page that a test leaves to the
    next. A new window costs seconds of processor time, mostly to start its process."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._users: dict[str, tuple[BrowserContext, PageUser]] = {}

    @asynccontextmanager
    async def user(
        self, url: str, options: dict[str, Any], request: pytest.FixtureRequest
    ) -> AsyncIterator[PageUser]:
        """The page of a window, with nothing left of an earlier test. A failed test leaves a
        picture behind, and its window is used no more."""
        from tests.browser.page_user import open_window

        key = repr(sorted(options.items()))
        if key not in self._users:
            self._users[key] = await open_window(self._browser, url, **options)
        context, user = self._users[key]
        user.url, user.problems = url, []
        yield user
        if request.node.stash.get(_FAILED, False) or user.problems:
            name = re.sub(r"\W+", "-", request.node.name)
            await user.screenshot(f"failed-{name}")
            del self._users[key]
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
def windows(browser: Browser) -> Windows:
    return Windows(browser)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a workspace with a channel for each test."""
    return furnish(tmp_path_factory.mktemp("demo") / "kept")


def furnish(folder: Path) -> Path:
    slack = SimulatedSlack()
    for number in range(ROOMS):
        slack.workspace.add_channel(_room(number))
    WorkspaceStorage(slack.workspace, folder / "slack").save()
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(furnished: Path) -> AsyncIterator[DemoProcess]:
    async with DemoProcess(furnished.parent, "--data", str(furnished), **QUICK) as running:
        yield running


def _room(number: int) -> str:
    return f"room{number:02}"


@pytest.fixture(scope="session")
def rooms() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def room(rooms: Iterator[int]) -> str:
    """A channel that no other test uses."""
    number = next(rooms)
    assert number < ROOMS
    return _room(number)


@pytest.fixture
def window() -> dict[str, Any]:
    """Playwright's options for the window; tests of a size or a colour scheme set their own."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def user(
    demo: DemoProcess,
    windows: Windows,
    room: str,
    window: dict[str, Any],
    request: pytest.FixtureRequest,
) -> AsyncIterator[PageUser]:
    """Alice in a channel of her own. The console has nothing to complain about in the end."""
    async with windows.user(demo.url, window, request) as user:
        await user.open(f"#alice/{room}")
        yield user


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DemoProcess]:
    """A demo for tests that end it or its bot, and leave it running again."""
    kept = furnish(tmp_path_factory.mktemp("own") / "kept")
    async with DemoProcess(kept.parent, "--data", str(kept)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def own_user(
    own_demo: DemoProcess, windows: Windows, room: str, request: pytest.FixtureRequest
) -> AsyncIterator[PageUser]:
    async with windows.user(own_demo.url, {}, request) as user:
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
    bare: Page, windows: Windows, window: dict[str, Any], request: pytest.FixtureRequest
) -> AsyncIterator[PageUser]:
    async with windows.user(bare.url, window, request) as user:
        await user.page.goto(bare.url)
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
