"""The page over HTTP: who gets in, who sees what, what acts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Command, Features, Page, SimulatedSlack
from tests.fakes import eventually
from tests.support.samples import form, image_blocks, png

_DONE: dict[str, Any] = {"ok": True, "error": None, "errors": {}, "ms": 0.0}
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


async def do(browser: aiohttp.ClientSession, action: str, **body: Any) -> tuple[int, Any]:
    async with browser.post(f"/page/do/{action}", json={"as": "alice", **body}) as answer:
        return answer.status, await answer.json()


async def feed(browser: aiohttp.ClientSession, user: str) -> aiohttp.ClientWebSocketResponse:
    return await browser.ws_connect(f"/page/feed?as={user}")


async def test_page_comes_with_a_strict_policy(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/") as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["page_server.py", "..%2fserver.py", "nothing.js", ".js"])
async def test_only_the_page_is_served(browser: aiohttp.ClientSession, name: str) -> None:
    async with browser.get(f"/page/{name}") as answer:
        assert answer.status == 404


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


async def test_a_form_of_another_type_is_refused(browser: aiohttp.ClientSession) -> None:
    async with browser.post("/page/do/say", data=b'{"as": "alice"}') as answer:
        assert answer.status == 415


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
    assert await do(browser, "say", channel=general, text="for all <b>") == (200, _DONE)
    assert (await alice.receive_json())["message"]["text"] == "for Alice alone"
    assert (await alice.receive_json())["message"]["text"] == "for all &lt;b&gt;"
    assert (await bob.receive_json())["message"]["text"] == "for all &lt;b&gt;"


async def test_notes_are_kept_for_pages_that_open_later(
    page: Page, browser: aiohttp.ClientSession
) -> None:
    page.feed.note("stage", "generating", session="x" * 3000)
    await eventually(lambda: page.feed.wire)
    state = await (await feed(browser, "carol")).receive_json()
    (entry,) = state["wire"]
    assert entry["text"] == "generating"
    assert len(entry["details"]["session"]) < 2100


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


async def test_image_is_sent_once(page: Page, browser: aiohttp.ClientSession) -> None:
    ack = await page.slack.say("alice", "general", "", files=[("a.png", png())])
    address = f"/page/files/{ack.message.files[0]}?as=alice"
    async with browser.get(address) as first:
        tag = first.headers["ETag"]
    async with browser.get(address, headers={"If-None-Match": tag}) as again:
        assert again.status == 304
    async with browser.get(address, headers={"If-None-Match": '"another"'}) as other:
        assert await other.read() == png()


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


@pytest.mark.parametrize(
    ("command", "text", "thread", "told"),
    [
        ("/draw", "a cat", None, "`/draw` is not a valid command."),
        ("/imagine", "a cat", "1.2", "`/imagine` is not supported in threads. Sorry!"),
        ("/imagine", "a cat", None, '/imagine failed with the error "dispatch_failed"'),
        ("/invite", "@imagine", None, "imagine is already in this channel."),
    ],
)
async def test_slackbot_says_what_is_wrong_with_a_command(
    page: Page, browser: aiohttp.ClientSession, command: str, text: str, thread: str, told: str
) -> None:
    general = page.slack.channel("general").id
    await do(browser, "slash", channel=general, command=command, text=text, thread_ts=thread)
    (message,) = page.slack.ephemerals("alice")
    assert message.text == told


async def test_invite_lets_the_bot_in(page: Page, browser: aiohttp.ClientSession) -> None:
    outsiders = page.slack.channel("outsiders")
    await do(browser, "slash", channel=outsiders.id, command="/invite", text="@imagine")
    assert page.slack.bot_user_id in outsiders.members


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("dance", {}),
        ("say", {"channel": "C404", "text": "x"}),
        ("say", {"text": "x"}),
        ("click", {"channel": "C0GENERAL0", "ts": "1.2", "action_id": "a", "block_id": "b"}),
        ("submit", {"view": "V404"}),
        ("say", {"as": "nobody", "channel": "C0GENERAL0", "text": "x"}),
    ],
)
async def test_what_cannot_be_done_is_refused(
    browser: aiohttp.ClientSession, action: str, body: dict[str, Any]
) -> None:
    status, answer = await do(browser, action, **body)
    assert status == 409
    assert not answer["ok"]


@pytest.mark.parametrize("action", ["fill", "close"])
async def test_last_word_about_a_view_that_was_closed_meanwhile_is_no_error(
    browser: aiohttp.ClientSession, action: str
) -> None:
    assert await do(browser, action, view="V404", values={"prompt": "half"}) == (200, _DONE)
