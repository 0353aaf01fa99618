"""Each person sees what is theirs, and nothing else."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Page
from tests.support.samples import form, image_blocks, png
from tests.unit.sandbox.page.browsing import DONE, do, feed


async def test_each_person_gets_what_is_theirs(page: Page, browser: aiohttp.ClientSession) -> None:
    slack = page.slack
    slack.direct("alice")
    slack.workspace.tell(slack.user("alice").id, slack.channel("general").id, "for Alice alone")
    for user, count in (("alice", 1), ("bob", 0)):
        socket = await feed(browser, user)
        state = await socket.receive_json()
        assert len(state["messages"]) == count
        assert [c["user"] for c in state["channels"] if c["user"]] == (
            [slack.user("alice").id] if count else []
        )
        await socket.close()


async def test_news_come_to_those_who_see_them(page: Page, browser: aiohttp.ClientSession) -> None:
    alice, bob = await feed(browser, "alice"), await feed(browser, "bob")
    await alice.receive_json()
    await bob.receive_json()
    general = page.slack.channel("general").id
    page.slack.workspace.tell(page.slack.user("alice").id, general, "for Alice alone")
    assert await do(browser, "say", channel=general, text="for all <b>") == (200, DONE)
    assert (await alice.receive_json())["message"]["text"] == "for Alice alone"
    assert (await alice.receive_json())["message"]["text"] == "for all &lt;b&gt;"
    assert (await bob.receive_json())["message"]["text"] == "for all &lt;b&gt;"


async def test_image_is_shown_to_those_who_see_its_message(
    page: Page, browser: aiohttp.ClientSession
) -> None:
    slack = page.slack
    png = b"\x89PNG\r\n\x1a\n" + bytes(32)
    ack = await slack.say("alice", slack.direct("alice"), "mine", files=[("a.png", png)])
    (file_id,) = ack.message.files
    for user, status in (("alice", 200), ("bob", 404), ("nobody", 404)):
        async with browser.get(f"/page/files/{file_id}?as={user}") as answer:
            assert answer.status == status
            if status == 200:
                assert answer.content_type == "image/png"
                assert await answer.read() == png


async def test_webp_is_shown_where_a_person_attached_it(
    page: Page, browser: aiohttp.ClientSession
) -> None:
    webp = b"RIFF" + bytes(4) + b"WEBP" + bytes(16)
    ack = await page.slack.say("alice", "general", "", files=[("a.webp", webp)])
    async with browser.get(f"/page/files/{ack.message.files[0]}?as=bob") as answer:
        assert answer.content_type == "image/webp"
    (message,) = (await (await feed(browser, "bob")).receive_json())["messages"]
    assert message["files"][0]["image"]


@pytest.mark.parametrize("kind", ["home", "modal"])
async def test_image_in_a_view_is_shown_to_its_person_alone(
    page: Page, browser: aiohttp.ClientSession, client: AsyncWebClient, kind: str
) -> None:
    answer: Any = await client.files_upload_v2(content=png(), filename="image.png")
    file_id = answer["files"][0]["id"]
    blocks = image_blocks(file_id)
    alice = page.slack.user("alice").id
    async with browser.get(f"/page/files/{file_id}?as=alice") as before:
        assert before.status == 404
    if kind == "home":
        await client.views_publish(user_id=alice, view={"type": "home", "blocks": blocks})
    else:
        trigger = page.slack.workspace.tickets.trigger(alice)
        view = form(blocks=[*blocks, *form()["blocks"]])
        await client.views_open(trigger_id=trigger, view=view)
    for user, status in (("alice", 200), ("bob", 404)):
        async with browser.get(f"/page/files/{file_id}?as={user}") as answer:
            assert answer.status == status


@pytest.mark.parametrize("taken", ["message", "file", "both"])
async def test_image_that_was_taken_away_is_no_error_of_the_page(
    page: Page, browser: aiohttp.ClientSession, client: AsyncWebClient, taken: str
) -> None:
    answer: Any = await client.files_upload_v2(content=png(), filename="image.png")
    file_id = answer["files"][0]["id"]
    posted: Any = await client.chat_postMessage(
        channel=page.slack.channel("general").id, text="an image", blocks=image_blocks(file_id)
    )
    if taken != "file":
        await client.chat_delete(channel=posted["channel"], ts=posted["ts"])
    if taken != "message":
        await client.files_delete(file=file_id)
    async with browser.get(f"/page/files/{file_id}?as=alice") as answer:
        assert (answer.status, await answer.read()) == (204, b"")


async def test_file_that_is_no_image_is_not_served(
    page: Page, browser: aiohttp.ClientSession
) -> None:
    html = b"<script>alert(1)</script>"
    ack = await page.slack.say("alice", "general", "look", files=[("a.png", html)])
    async with browser.get(f"/page/files/{ack.message.files[0]}?as=alice") as answer:
        assert answer.status == 404
