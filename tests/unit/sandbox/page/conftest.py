"""A page, and a browser on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Command, Features, Page, SimulatedSlack

COMMANDS = (Command("/imagine", "[prompt]", "Direct an AI image"),)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page = Page(SimulatedSlack(), Features(COMMANDS, events=frozenset()), {})
    await page.start()
    yield page
    await page.stop()


@pytest.fixture
async def browser(page: Page) -> AsyncIterator[aiohttp.ClientSession]:
    """What a browser sends from the page itself."""
    headers = {"Origin": page.url.rstrip("/")}
    async with aiohttp.ClientSession(page.url, headers=headers) as session:
        yield session


@pytest.fixture
def client(page: Page) -> AsyncWebClient:
    return AsyncWebClient(token=page.slack.bot_token, base_url=page.slack.api_url)
