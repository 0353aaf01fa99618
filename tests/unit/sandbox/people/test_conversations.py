"""What people say, with and without pictures, as events that come again until they are acked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.support.samples import png

Connect = Callable[[], Awaitable[Any]]
Event = dict[str, Any]


class Recorder:
    """A bot that notes every event over HTTP, and answers the statuses in their order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.retries: list[tuple[str | None, str | None]] = []
        self.statuses: list[int] = []

    async def take(self, request: web.Request) -> web.Response:
        self.events.append(json.loads(await request.text()))
        names = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
        number, reason = (request.headers.get(name) for name in names)
        self.retries.append((number, reason))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def inner(self) -> list[Event]:
        return [event["event"] for event in self.events]


@pytest.fixture
async def recorder(slack: SimulatedSlack) -> AsyncIterator[Recorder]:
    recorder = Recorder()
    server = web.Application()
    server.router.add_post("/slack/events", recorder.take)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.use_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    slack.delivery.event_retry_delays = (0.01, 0.01, 0.01)
    yield recorder
    await runner.cleanup()


async def test_a_mention_comes_as_slack_sends_it(slack: SimulatedSlack, recorder: Recorder) -> None:
    root = (await slack.say("bob", "general", "hello")).message
    ack = await slack.mention("alice", "general", "make <it> & night", root.ts, files=[png(3, 2)])
    assert ack.ok
    (event,) = recorder.events
    inner = event["event"]
    assert event["type"] == "event_callback"
    assert event["event_id"]
    assert event["event_time"]
    assert event["authorizations"][0]["user_id"] == slack.bot_user_id
    assert (inner["type"], inner["user"]) == ("app_mention", slack.user("alice").id)
    assert inner["text"] == f"<@{slack.bot_user_id}> make &lt;it&gt; &amp; night"
    assert (inner["channel"], inner["thread_ts"]) == (slack.channel("general").id, root.ts)
    assert (inner["ts"], inner["event_ts"]) == (ack.message.ts, ack.message.ts)
    assert "subtype" not in inner
    (file,) = inner["files"]
    assert (file["mimetype"], file["size"], file["mode"]) == ("image/png", len(png(3, 2)), "hosted")
    assert (file["original_w"], file["original_h"]) == (3, 2)
    assert file["url_private_download"].startswith(slack.workspace.base_url)


async def test_a_direct_message_comes_with_its_files(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    direct = slack.direct("alice")
    await slack.say("alice", direct, "a fox")
    await slack.say("alice", direct, "", files=[("fox.png", png())])
    await slack.mention("alice", direct, "a bear")
    plain, shared, mention = recorder.inner
    assert (plain["type"], plain["channel_type"], plain["text"]) == ("message", "im", "a fox")
    assert "subtype" not in plain
    assert (shared["subtype"], shared["files"][0]["name"]) == ("file_share", "fox.png")
    assert mention["type"] == "message"  # a mention there is a message like any other


async def test_an_answer_to_a_reply_goes_to_the_thread(slack: SimulatedSlack) -> None:
    root = (await slack.say("alice", "general", "root")).message
    reply = (await slack.say("bob", "general", "reply", root.ts)).message
    answer = (await slack.say("alice", "general", "answer", reply.ts)).message
    assert answer.thread_ts == root.ts
    assert slack.violations == []


async def test_an_event_comes_again_until_it_is_acked(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    recorder.statuses = [500, 503]
    ack = await slack.mention("alice", "general", "a robot")
    assert (ack.ok, ack.attempts) == (True, 3)
    assert recorder.retries == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert len({event["event_id"] for event in recorder.events}) == 1


async def test_after_three_more_tries_an_event_is_lost(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    recorder.statuses = [500] * 9
    ack = await slack.mention("alice", "general", "a robot")
    assert (ack.ok, ack.attempts) == (False, 4)
    assert len(recorder.events) == 4


async def test_events_can_come_twice(slack: SimulatedSlack, recorder: Recorder) -> None:
    slack.deliver_twice = True
    await slack.mention("alice", "general", "a robot")
    await slack.wait_for(lambda: len(recorder.events) == 2)
    first, second = recorder.events
    assert first == second


@pytest.mark.parametrize(
    ("scopes", "heard"),
    [
        ({"app_mentions:read"}, ["app_mention"]),
        ({"im:history"}, ["message"]),
        (set[str](), []),
    ],
)
async def test_events_take_their_scopes(
    slack: SimulatedSlack, recorder: Recorder, scopes: set[str], heard: list[str]
) -> None:
    slack.workspace.scopes = scopes
    await slack.mention("alice", "general", "a robot")
    await slack.say("alice", slack.direct("alice"), "a robot")
    assert [inner["type"] for inner in recorder.inner] == heard


async def test_both_tabs_are_told_when_they_are_opened(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    await slack.open_home("alice")
    await slack.open_home("alice", "messages")
    assert [(e["type"], e["tab"]) for e in recorder.inner] == [
        ("app_home_opened", "home"),
        ("app_home_opened", "messages"),
    ]
    assert recorder.inner[0]["channel"] == slack.direct("alice").id


async def test_the_bots_own_direct_messages_come_back_as_events(
    slack: SimulatedSlack, recorder: Recorder, client: AsyncWebClient
) -> None:
    direct = slack.direct("alice").id
    ts = (await client.chat_postMessage(channel=direct, text="first"))["ts"]
    await client.chat_update(channel=direct, ts=ts, text="second")
    await client.chat_delete(channel=direct, ts=ts)
    await client.chat_postMessage(channel="C0GENERAL0", text="unheard")
    await slack.wait_for(lambda: len(recorder.events) == 3)
    by_kind = {inner.get("subtype", ""): inner for inner in recorder.inner}
    own, changed, deleted = (by_kind[k] for k in ("", "message_changed", "message_deleted"))
    assert (own["user"], own["bot_id"]) == (slack.bot_user_id, slack.workspace.app.bot_id)
    assert "user" not in changed
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("second", "first")
    assert deleted["deleted_ts"] == ts
    assert {inner["channel_type"] for inner in recorder.inner} == {"im"}


async def test_bolt_keeps_a_bot_from_hearing_itself(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    heard: list[str] = []

    @app.event("message")
    async def message(event: Event) -> None:
        heard.append(event["text"])

    await connect()
    direct = slack.direct("alice").id
    ts = (await client.chat_postMessage(channel=direct, text="mine"))["ts"]
    await client.chat_update(channel=direct, ts=ts, text="edited")
    await slack.say("alice", slack.direct("alice"), "hers")
    await slack.wait_for(lambda: heard)
    assert heard == ["hers"]


async def test_a_direct_conversation_is_like_a_channel(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    alice, direct = slack.user("alice").id, slack.direct("alice").id
    root = (await client.chat_postMessage(channel=alice, text="root"))["ts"]
    where: Any = {"channel": direct, "thread_ts": root}
    await client.chat_postMessage(**where, text="final", reply_broadcast=True)
    await client.chat_postEphemeral(**where, user=alice, text="only you")
    assert [m.text for m in slack.timeline(slack.direct("alice"))] == ["root", "final"]
    assert [m.text for m in slack.ephemerals("alice", slack.direct("alice"))] == ["only you"]
    replies = await client.conversations_replies(channel=direct, ts=root)
    assert [m["text"] for m in replies["messages"]] == ["root", "final"]
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await client.chat_postEphemeral(channel=direct, user=slack.user("bob").id, text="x")


async def test_an_ephemeral_message_can_be_neither_changed_nor_deleted(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    where, alice = slack.channel("general").id, slack.user("alice").id
    answer = await client.chat_postEphemeral(channel=where, user=alice, text="only you")
    ts = answer["message_ts"]
    for call in (
        client.chat_update(channel=where, ts=ts, text="x"),
        client.chat_delete(channel=where, ts=ts),
    ):
        with pytest.raises(SlackApiError, match="message_not_found"):
            await call
