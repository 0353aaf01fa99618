"""`conversations.*`."""

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


@pytest.mark.parametrize(
    ("channel", "scope"),
    [("general", "channels:history"), ("secret", "groups:history"), ("alice", "im:history")],
)
async def test_every_kind_of_channel_has_its_own_scope_to_be_read(
    slack: SimulatedSlack, client: AsyncWebClient, channel: str, scope: str
) -> None:
    scopes = {"channels:history", "groups:history", "im:history"}
    where = slack.direct("alice") if channel == "alice" else slack.channel(channel)
    slack.workspace.invite_bot(where, slack.user("alice").id)
    slack.workspace.scopes = {scope}
    assert (await client.conversations_history(channel=where.id))["ok"]
    slack.workspace.scopes = scopes - {scope}
    assert await refused(client.conversations_history(channel=where.id)) == "missing_scope"
