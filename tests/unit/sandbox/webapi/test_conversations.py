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
    [
        ("general", "channels:history"),
        ("secret", "groups:history"),
        ("alice", "im:history"),
        ("mpdm", "mpim:history"),
    ],
)
async def test_every_kind_of_channel_has_its_own_scope_to_be_read(
    slack: SimulatedSlack, client: AsyncWebClient, channel: str, scope: str
) -> None:
    scopes = {"channels:history", "groups:history", "im:history", "mpim:history"}
    slack.workspace.add_direct("alice", "bob", "carol").members.add(slack.bot_user_id)
    name = "mpdm-alice--bob--carol-1" if channel == "mpdm" else channel
    where = slack.direct("alice") if channel == "alice" else slack.channel(name)
    slack.workspace.invite_bot(where, slack.user("alice").id)
    slack.workspace.scopes = {scope}
    assert (await client.conversations_history(channel=where.id))["ok"]
    slack.workspace.scopes = scopes - {scope}
    assert await refused(client.conversations_history(channel=where.id)) == "missing_scope"


async def test_history_from_a_time_on_begins_there(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    """As Slack has it: without a latest time, the pages closest to the oldest come first."""
    where = slack.channel("general").id
    alice = slack.user("alice").id
    posted = [slack.workspace.post(where, alice, f"{n}", []).ts for n in range(7)]
    oldest = f"{float(posted[0]) - 1:.6f}"
    page: Any = await client.conversations_history(channel=where, oldest=oldest, limit=3)
    assert [m["ts"] for m in page["messages"]] == posted[2::-1]
    cursor = page["response_metadata"]["next_cursor"]
    page = await client.conversations_history(channel=where, oldest=oldest, limit=3, cursor=cursor)
    assert [m["ts"] for m in page["messages"]] == posted[5:2:-1]
    page = await client.conversations_history(channel=where, limit=3)
    assert [m["ts"] for m in page["messages"]] == posted[:3:-1]


async def test_some_apps_get_few_messages_at_a_time(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    slack.workspace.most_per_page = 15
    where = slack.channel("general").id
    for n in range(20):
        slack.workspace.post(where, slack.user("alice").id, f"{n}", [])
    page: Any = await client.conversations_history(channel=where, limit=200)
    assert len(page["messages"]) == 15
    assert page["response_metadata"]["next_cursor"]


async def test_one_message_is_asked_for_by_its_ts(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    """Replies come oldest first behind their root, whatever the bounds; the bounds count only where
    that is asked for; and equal bounds hold nothing."""
    root, *said = [(await slack.say("bob", "general", text)).message for text in "abc"]
    first, second = [
        (await slack.say("bob", "general", text, root.ts)).message for text in ("one", "two")
    ]
    there: dict[str, Any] = {"channel": root.channel}

    async def history(**bounds: Any) -> list[str]:
        found = await client.conversations_history(**there, **bounds)
        return [message["ts"] for message in found["messages"]]

    async def replies(**bounds: Any) -> list[str]:
        found = await client.conversations_replies(**there, ts=root.ts, **bounds)
        return [message["ts"] for message in found["messages"]]

    middle = said[0].ts
    assert await history(latest=middle, inclusive=True, limit=1) == [middle]
    assert await history(latest=middle, limit=1) == [root.ts]
    assert await history(latest=middle, oldest=middle, inclusive=True) == []
    assert await replies(limit=1) == [root.ts]
    assert await replies(oldest=second.ts, inclusive=True, limit=2) == [root.ts, second.ts]
    assert await replies(oldest=first.ts) == [root.ts, second.ts]
    assert await replies(oldest=first.ts, latest=first.ts, inclusive=True) == []
