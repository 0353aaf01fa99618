"""The stream of changes and the wire."""

from __future__ import annotations

import aiohttp

from bot.sandbox import Page
from tests.fakes import eventually
from tests.unit.sandbox.page.browsing import feed


async def test_notes_are_kept_for_pages_that_open_later(
    page: Page, browser: aiohttp.ClientSession
) -> None:
    page.feed.note("stage", "generating", session="x" * 3000)
    await eventually(lambda: page.feed.wire)
    state = await (await feed(browser, "carol")).receive_json()
    (entry,) = state["wire"]
    assert entry["text"] == "generating"
    assert len(entry["details"]["session"]) < 2100
