"""What people say, with and without pictures, as events that come again until they are acked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.support.samples import png
from tests.unit.sandbox.bots import Recorder

Connect = Callable[[], Awaitable[Any]]
Event = dict[str, Any]


async def test_a_mention_comes_as_slack_sends_it(slack: SimulatedSlack, recorder: Recorder) -> None:
    slack.workspace.mentions_carry_files = True
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


async def test_a_mention_may_come_without_its_files(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    ack = await slack.mention("alice", "general", "make it night", files=[png(3, 2)])
    await slack.forward("bob", "general", ack.message, "make it day")
    for inner in recorder.inner:
        assert inner.keys().isdisjoint({"files", "attachments", "upload"})
    assert len(ack.message.payload()["files"]) == 1


async def test_a_forwarded_message_is_held_by_another(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    slack.workspace.mentions_carry_files = True
    said = (await slack.say("bob", "design", "look", files=[png()])).message
    ack = await slack.forward("alice", "general", said, "make it night")
    (inner,) = recorder.inner
    (share,) = inner["attachments"]
    assert inner == {**inner, **{"type": "app_mention", "ts": ack.message.ts}}
    assert (share["is_share"], share["channel_id"], share["text"]) == (True, said.channel, "look")
    assert [file["id"] for file in share["files"]] == said.files
    assert ack.message.payload()["attachments"] == [share]
    direct = await slack.forward("alice", slack.direct("alice"), said, "make it night")
    assert direct.message.text == "make it night"


async def test_a_file_in_a_shared_channel_is_a_stub(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    guest = slack.workspace.add_user("eve", team_id="T0OTHER0")
    slack.channel("general").members.add(guest.id)
    message = (await slack.say("bob", "general", "look", files=[png()])).message
    (file,) = message.payload()["files"]
    assert file["file_access"] == "check_file_info"
    assert file.keys().isdisjoint({"mimetype", "url_private", "name"})
    assert slack.workspace.files.describe(file["id"])["mimetype"] == "image/png"


async def test_slack_may_tell_less_or_otherwise_of_a_file(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    told: list[dict[str, Any]] = [
        {"mode": "external", "is_external": True},
        {"mode": "snippet", "mimetype": "text/plain"},
        {"mode": "hidden_by_limit"},
    ]
    files = [("a.png", png(), each) for each in told]
    message = (await slack.say("bob", "general", "look", files=files)).message
    external, snippet, hidden = message.payload()["files"]
    assert (external["mode"], external["is_external"]) == ("external", True)
    assert (snippet["mode"], snippet["mimetype"]) == ("snippet", "text/plain")
    assert hidden == {"id": message.files[2], "mode": "hidden_by_limit"}


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


async def test_home(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        text = {"type": "plain_text", "text": "Your images"}
        view = {"type": "home", "blocks": [{"type": "header", "text": text}]}
        await client.views_publish(user_id=event["user"], view=view)

    await connect()
    await slack.open_home("alice")
    home = await slack.wait_for(lambda: slack.home("alice"))
    assert "Your images" in home.shown_text
