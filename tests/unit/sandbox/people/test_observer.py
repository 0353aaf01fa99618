"""Waiting for changes, following them, and printing the state."""

import json

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack


async def test_a_wait_in_vain_prints_the_workspace(slack: SimulatedSlack) -> None:
    await slack.say("alice", "general", "hello there")
    with pytest.raises(AssertionError, match=r"(?s)a robot.*hello there"):
        await slack.wait_for(lambda: None, timeout=0.05, what="a robot")


async def test_subscribers_hear_of_messages_and_calls(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    changes = slack.subscribe()
    await client.chat_postMessage(channel="C0GENERAL0", text="x")
    assert [(await anext(changes))["type"] for _ in range(2)] == ["message", "api_call"]


async def test_state_is_json(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0GENERAL0", text="x")
    assert "C0GENERAL0" in json.dumps(slack.to_json())
