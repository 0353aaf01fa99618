"""What happens to places and to the app, and how the bot hears of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from bot.sandbox.delivery import payloads
from tests.support.samples import png
from tests.unit.sandbox.bots import Recorder

Upload = Callable[[bytes], Awaitable[str]]


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


@pytest.mark.parametrize(("channel", "kind"), [("general", "channel"), ("secret", "group")])
async def test_the_bot_hears_of_what_happens_to_its_channels(
    slack: SimulatedSlack, client: AsyncWebClient, recorder: Recorder, channel: str, kind: str
) -> None:
    where = slack.channel(channel)
    slack.workspace.invite_bot(where, slack.user("alice").id)
    await slack.archive(channel)
    assert await refused(client.chat_postMessage(channel=where.id, text="x")) == "is_archived"
    where.is_archived = False
    await slack.remove_bot(channel)
    assert await refused(client.chat_postMessage(channel=where.id, text="x")) in {
        "not_in_channel",
        "channel_not_found",
    }
    await slack.delete_channel(channel)
    assert await refused(client.chat_postMessage(channel=where.id, text="x")) == "channel_not_found"
    told = [(event["type"], event["channel"]) for event in recorder.inner]
    names = [f"{kind}_archive", f"{kind}_left", "member_left_channel", f"{kind}_deleted"]
    assert told == [(name, where.id) for name in names]
    assert recorder.inner[2]["user"] == slack.bot_user_id


@pytest.mark.parametrize("tokens_first", [True, False])
async def test_an_uninstalled_app_has_no_token_any_more(
    slack: SimulatedSlack, client: AsyncWebClient, recorder: Recorder, tokens_first: bool
) -> None:
    await slack.uninstall(tokens_first=tokens_first)
    names = [event["type"] for event in recorder.inner]
    assert sorted(names, reverse=tokens_first) == names
    assert await refused(client.auth_test()) == "account_inactive"
    slack.reinstall()
    assert (await client.auth_test())["ok"]


async def test_what_the_app_has_no_scope_for_it_does_not_hear(
    slack: SimulatedSlack, recorder: Recorder
) -> None:
    slack.workspace.scopes = {"chat:write"}
    await slack.archive("general")
    assert recorder.events == []
    await slack.send_event({"type": "something_of_next_year"})
    assert recorder.inner[0]["type"] == "something_of_next_year"


async def test_a_deleted_file_cannot_be_shown_any_more(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    file_id = await upload(png())
    slack.delete_file(file_id)
    block = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "x"}
    posting = client.chat_postMessage(channel="C0GENERAL0", text="x", blocks=[block])
    assert await refused(posting) == "invalid_blocks"
    with pytest.raises(AssertionError):
        slack.delete_file(file_id)


@pytest.mark.parametrize(
    ("people", "letter", "name"),
    [
        (("alice", "bob"), "D", "directmessage"),
        (("alice", "bob", "carol"), "C", "mpdm-alice--bob--carol-1"),
    ],
)
async def test_a_direct_conversation_of_people_takes_no_apps(
    slack: SimulatedSlack,
    client: AsyncWebClient,
    people: tuple[str, ...],
    letter: str,
    name: str,
) -> None:
    where = slack.workspace.add_direct(*people)
    assert where.id.startswith(letter)
    assert await refused(client.chat_postMessage(channel=where.id, text="x")) == "channel_not_found"
    told = payloads.slash_command(slack.workspace, slack.user("alice"), where, "/imagine", "")
    assert told["channel_name"] == name
