"""The bot's own direct messages as events."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.unit.sandbox.bots import Event, Recorder

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


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
