"""Other sites are kept out."""

from __future__ import annotations

import aiohttp
import pytest

from bot.sandbox import Page


async def test_page_comes_with_a_strict_policy(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/") as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {},
    ],
)
async def test_other_sites_are_kept_out(page: Page, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession(page.url) as session:
        body = {"as": "alice", "channel": page.slack.channel("general").id, "text": "hello"}
        async with session.post("/page/do/say", json=body, headers=headers) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect("/page/feed?as=alice", headers=headers)
    assert page.slack.messages("general") == []
