"""Where a post is tried again as a member, and what it raises where it cannot be one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.adapters.slack.channel_joining import ChannelJoining
from bot.domain.errors import NotInChannel, SlackAppBlocked, SlackRefused
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind
from tests.fakes import CHANNEL, a_session

SESSION = a_session()


class Joins(AsyncWebClient):
    """A client that answers calls to join with an error code, or lets the bot in."""

    def __init__(self, error: str = "") -> None:
        super().__init__(token="xoxb")
        self._error = error
        self.joined: list[str] = []

    async def conversations_join(self, *, channel: str, **kwargs: Any) -> AsyncSlackResponse:
        self.joined.append(channel)
        data = {"ok": False, "error": self._error} if self._error else {"ok": True}
        response = AsyncSlackResponse(
            client=self, http_verb="POST", api_url="", req_args={}, data=data, headers={},
            status_code=200,
        )  # fmt: skip
        if self._error:
            raise SlackApiError("refused", response)  # type: ignore[no-untyped-call]
        return response


class Posts:
    """A post that Slack refuses with these codes, one after the other, and takes then."""

    def __init__(self, *codes: str) -> None:
        self._codes = list(codes)

    async def __call__(self) -> str:
        if self._codes:
            raise SlackRefused("chat.postMessage", self._codes.pop(0))
        return "1.5"


async def post(client: Joins, *codes: str, session: Session = SESSION) -> str:
    return await ChannelJoining(client).post_as_member(session, Posts(*codes))


async def test_a_member_posts_without_joining() -> None:
    client = Joins()
    assert await post(client) == "1.5"
    assert client.joined == []


async def test_a_public_channel_is_joined_and_the_post_repeated_once() -> None:
    client = Joins()
    assert await post(client, "not_in_channel") == "1.5"
    assert client.joined == [CHANNEL]
    with pytest.raises(SlackRefused) as refused:
        await post(client, "not_in_channel", "not_in_channel")
    assert not isinstance(refused.value, NotInChannel)


async def test_another_refusal_is_none_of_a_membership() -> None:
    client = Joins()
    with pytest.raises(SlackRefused, match="is_archived"):
        await post(client, "is_archived")
    assert client.joined == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("not_in_channel", ConversationKind.DIRECT),
        ("not_in_channel", ConversationKind.GROUP_DIRECT),
        ("channel_not_found", ConversationKind.CHANNEL),
    ],
)
async def test_what_cannot_be_joined_is_not_tried(code: str, kind: ConversationKind) -> None:
    client = Joins()
    with pytest.raises(NotInChannel) as refused:
        await post(client, code, session=replace(SESSION, place=kind))
    assert refused.value.code == code
    assert client.joined == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("is_archived", "is_archived"),
        ("method_not_supported_for_channel_type", "method_not_supported_for_channel_type"),
        ("fatal_mistake", "not_in_channel"),
    ],
)
async def test_what_keeps_the_bot_out_of_a_place_is_told(answer: str, told: str) -> None:
    with pytest.raises(NotInChannel) as refused:
        await post(Joins(answer), "not_in_channel")
    assert refused.value.code == told


async def test_an_app_that_slack_refuses_is_no_matter_of_the_channel() -> None:
    with pytest.raises(SlackAppBlocked):
        await post(Joins("token_revoked"), "not_in_channel")
