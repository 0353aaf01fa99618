"""Tokens and scopes."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_tokens_and_scopes() -> None:
    async with SimulatedSlack(scopes={"chat:write"}) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        answer = await client.auth_test()
        assert answer.headers["x-oauth-scopes"] == "chat:write"
        with pytest.raises(SlackApiError) as caught:
            await client.files_info(file="F1")
        assert caught.value.response["needed"] == "files:read"
        assert caught.value.response["provided"] == "chat:write"
        stranger = AsyncWebClient(token="xoxb-wrong", base_url=slack.api_url)
        assert await refused(stranger.auth_test()) == "invalid_auth"
        assert await refused(client.apps_connections_open(app_token=slack.bot_token)) == (
            "not_allowed_token_type"
        )
        assert await refused(client.api_call("no.such")) == "unknown_method"
