"""Posting, changing and reading messages through the SDK's own client."""

from collections.abc import Awaitable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.support.samples import actions, button


async def refused(call: Awaitable[object]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_thread_replies_are_apart_unless_broadcast(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    root = (await client.chat_postMessage(channel="C0GENERAL0", text="root"))["ts"]
    await client.chat_postMessage(channel="C0GENERAL0", text="draft", thread_ts=root)
    await client.chat_postMessage(
        channel="C0GENERAL0", text="final", thread_ts=root, reply_broadcast=True
    )
    assert [m.text for m in slack.messages("general")] == ["root"]
    assert [m.text for m in slack.messages("general", root)] == ["draft", "final"]
    assert slack.messages("general", root)[1].subtype == "thread_broadcast"
    assert [m.text for m in slack.timeline("general")] == ["root", "final"]
    history = await client.conversations_history(channel="C0GENERAL0")
    assert [m["text"] for m in history["messages"]] == ["final", "root"]
    replies = await client.conversations_replies(channel="C0GENERAL0", ts=root)
    assert [m["text"] for m in replies["messages"]] == ["root", "draft", "final"]


async def test_membership(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    public, private = slack.channel("outsiders").id, slack.channel("secret").id
    assert await refused(client.chat_postMessage(channel=public, text="x")) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel=private, text="x")) == "channel_not_found"
    assert await refused(client.conversations_join(channel=private)) == "channel_not_found"
    await client.conversations_join(channel=public)
    assert (await client.chat_postMessage(channel=public, text="x"))["ok"]
    assert slack.violations == []


async def test_refusals_of_messages(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    where = slack.channel("general").id
    assert await refused(client.api_call("chat.postMessage", json={"channel": where})) == "no_text"
    long = "x" * 40_001
    assert await refused(client.chat_postMessage(channel=where, text=long)) == "msg_too_long"
    section = {"type": "section", "text": {"type": "plain_text", "text": "x" * 3_000}}
    for count, error in ((4, ""), (5, "msg_blocks_too_long")):
        posting = client.chat_postMessage(channel=where, text="x", blocks=[section] * count)
        assert await refused(posting) == error if error else (await posting)["ok"]
    orphan = client.chat_postMessage(channel=where, text="x", thread_ts="1.000001")
    assert await refused(orphan) == "thread_not_found"
    assert await refused(client.chat_update(channel=where, ts="1.1", text="x")) == (
        "message_not_found"
    )
    said = (await slack.say("alice", "general", "hello")).message
    assert await refused(client.chat_update(channel=where, ts=said.ts, text="x")) == (
        "cant_update_message"
    )
    mine = (await client.chat_postMessage(channel=where, text="x"))["ts"]
    too_much = client.chat_update(channel=where, ts=mine, text="x" * 4001)
    assert await refused(too_much) == "msg_too_long"


async def test_update_without_blocks_keeps_them(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    where = slack.channel("general").id
    ts = (await client.chat_postMessage(channel=where, text="x", blocks=actions(button())))["ts"]
    await client.chat_update(channel=where, ts=ts, text="y")
    assert slack.message("general", ts).buttons() == ["Approve"]
    await client.chat_update(channel=where, ts=ts, text="z", blocks=[])
    message = slack.message("general", ts)
    assert message.buttons() == []
    assert [state.text for state in message.history] == ["x", "y", "z"]


async def test_deleted_messages_are_gone(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    where = slack.channel("general").id
    ts = (await client.chat_postMessage(channel=where, text="x"))["ts"]
    await client.chat_delete(channel=where, ts=ts)
    assert slack.messages("general") == []
    assert await refused(client.chat_delete(channel=where, ts=ts)) == "message_not_found"


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
