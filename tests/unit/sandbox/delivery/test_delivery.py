"""Commands, clicks and events, over Socket Mode and over signed HTTP, to a real Bolt app."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from bot.sandbox.delivery.delivery import SECONDS_TO_ACK
from tests.support.samples import actions, button
from tests.unit.sandbox.bots import serve_http

Connect = Callable[[], Awaitable[Any]]


@pytest.fixture(params=["socket mode", "http"])
async def bot(
    request: pytest.FixtureRequest, slack: SimulatedSlack, app: AsyncApp, connect: Connect
) -> AsyncIterator[AsyncApp]:
    """The app, reached in both ways."""
    if request.param == "socket mode":
        await connect()
        yield app
    else:
        runner = await serve_http(slack, app)
        yield app
        await runner.cleanup()


async def test_command_arrives_as_typed(slack: SimulatedSlack, bot: AsyncApp) -> None:
    seen: list[dict[str, Any]] = []

    @bot.command("/imagine")
    async def imagine(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        await ack("on it")

    text = "<!channel> & “quotes” — 🤖\nnext"
    ack = await slack.slash("alice", "general", "/imagine", text)
    assert ack.ok
    assert 0 < ack.seconds < SECONDS_TO_ACK
    assert seen[0]["text"] == text
    assert seen[0]["user_id"] == slack.user("alice").id
    assert [m.text for m in slack.ephemerals("alice")] == ["on it"]
    assert slack.ephemerals("bob") == []


async def test_click_brings_the_message_and_its_value(
    slack: SimulatedSlack, bot: AsyncApp, client: AsyncWebClient
) -> None:
    seen: list[dict[str, Any]] = []

    @bot.action("approve")
    async def approve(ack: Any, body: dict[str, Any], respond: Any) -> None:
        seen.append(body)
        await ack()
        await respond("only you see this")

    await client.chat_postMessage(
        channel="C0GENERAL0", text="x", blocks=actions(button("✅ Approve", value="s-1"))
    )
    message = slack.messages("general")[0]
    assert (await slack.click("bob", message, "Approve")).ok
    told = await slack.wait_for(lambda: slack.ephemerals("bob"))
    assert told[0].text == "only you see this"
    assert seen[0]["actions"][0]["value"] == "s-1"
    assert seen[0]["message"]["ts"] == message.ts
    assert seen[0]["container"]["channel_id"] == "C0GENERAL0"


async def test_events_reach_members_only(slack: SimulatedSlack, bot: AsyncApp) -> None:
    seen: list[str] = []

    @bot.event("app_mention")
    async def mention(event: dict[str, Any]) -> None:
        seen.append(event["text"])

    @bot.event("message")
    async def message(event: dict[str, Any]) -> None:
        seen.append(event["text"])

    assert (await slack.mention("alice", "general", "a robot")).ok
    assert not (await slack.mention("alice", "outsiders", "a robot")).ok
    await slack.say("alice", "general", "unheard")
    assert (await slack.say("alice", slack.direct("alice"), "hello")).ok
    await slack.wait_for(lambda: len(seen) == 2)
    assert seen == [f"<@{slack.bot_user_id}> a robot", "hello"]


async def test_no_ack_in_time_is_told_to_the_person(slack: SimulatedSlack, bot: AsyncApp) -> None:
    late, acked = asyncio.Event(), asyncio.Event()

    @bot.command("/imagine")
    async def imagine(ack: Any) -> None:
        await late.wait()
        await ack()
        acked.set()

    ack = await slack.slash("alice", "general", "/imagine", "x", timeout=0.5)
    assert (ack.ok, ack.error) == (False, "operation_timeout")
    assert "operation_timeout" in slack.ephemerals("alice")[0].text
    late.set()
    await acked.wait()


async def test_everything_twice(slack: SimulatedSlack, bot: AsyncApp) -> None:
    seen: list[str] = []

    @bot.command("/imagine")
    async def imagine(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body["trigger_id"])
        await ack()

    slack.deliver_twice = True
    ack = await slack.slash("alice", "general", "/imagine", "x")
    await slack.wait_for(lambda: len(seen) == 2)
    assert seen == [ack.trigger_id] * 2


async def test_nobody_connected(slack: SimulatedSlack) -> None:
    ack = await slack.slash("alice", "general", "/imagine", "x")
    assert ack.error == "dispatch_failed"
