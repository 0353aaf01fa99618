"""The page over HTTP: its files, requests and images."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox import Page
from bot.sandbox.page import server
from tests.support.samples import png

_DONE: dict[str, Any] = {"ok": True, "error": None, "errors": {}, "ms": 0.0}


@pytest.mark.parametrize("name", ["server.py", "..%2fserver.py", "nothing.js", ".js"])
async def test_only_the_page_is_served(browser: aiohttp.ClientSession, name: str) -> None:
    async with browser.get(f"/page/static/any/{name}") as answer:
        assert answer.status == 404


async def test_static_files_are_kept_until_one_of_them_changes(
    browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = shutil.copytree(server.FOLDER, tmp_path / "static")
    monkeypatch.setattr(server, "FOLDER", folder)
    before = await _address_of_main(browser)
    async with browser.get(before) as kept:
        assert "immutable" in kept.headers["Cache-Control"]
    (folder / "api.js").write_text("// changed")
    after = await _address_of_main(browser)
    assert after != before
    async with browser.get(before) as older, browser.get(after) as newer:
        assert older.headers["Cache-Control"] == "no-cache"
        assert "immutable" in newer.headers["Cache-Control"]


async def _address_of_main(browser: aiohttp.ClientSession) -> str:
    async with browser.get("/") as index:
        assert index.headers["Cache-Control"] == "no-cache"
        (address,) = re.findall(r'src="(/page/static/[^"]+/main\.js)"', await index.text())
    return str(address)


async def test_a_form_of_another_type_is_refused(browser: aiohttp.ClientSession) -> None:
    async with browser.post("/page/do/say", data=b'{"as": "alice"}') as answer:
        assert answer.status == 415


async def test_image_is_sent_once(page: Page, browser: aiohttp.ClientSession) -> None:
    ack = await page.slack.say("alice", "general", "", files=[("a.png", png())])
    address = f"/page/files/{ack.message.files[0]}?as=alice"
    async with browser.get(address) as first:
        tag = first.headers["ETag"]
    async with browser.get(address, headers={"If-None-Match": tag}) as again:
        assert again.status == 304
    async with browser.get(address, headers={"If-None-Match": '"another"'}) as other:
        assert await other.read() == png()
