"""What a browser asks of the page."""

from typing import Any

import aiohttp

DONE: dict[str, Any] = {"ok": True, "error": None, "errors": {}, "ms": 0.0}


async def do(browser: aiohttp.ClientSession, action: str, **body: Any) -> tuple[int, Any]:
    async with browser.post(f"/page/do/{action}", json={"as": "alice", **body}) as answer:
        return answer.status, await answer.json()


async def feed(browser: aiohttp.ClientSession, user: str) -> aiohttp.ClientWebSocketResponse:
    return await browser.ws_connect(f"/page/feed?as={user}")
