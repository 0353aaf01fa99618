"""Trouble on demand."""

import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Fault, SimulatedSlack
from tests.support.samples import png


async def post(client: AsyncWebClient, channel: str = "C0GENERAL0") -> object:
    return await client.chat_postMessage(channel=channel, text="x")


async def test_error_once(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", Fault(error="channel_not_found"))
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await post(client)
    await post(client)
    assert [call.ok for call in slack.calls] == [False, True]


async def test_only_matching_calls_fail(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", Fault.http(503), match=lambda args: args["text"] == "y")
    await post(client)
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C0GENERAL0", text="y")
    assert slack.calls[-1].status == 503


async def test_lost_answer_has_its_effect(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    with pytest.raises(aiohttp.ClientError):
        await post(client)
    assert len(slack.messages("general")) == 1


async def test_dropped_has_none(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", Fault.dropped())
    with pytest.raises(aiohttp.ClientError):
        await post(client)
    assert slack.messages("general") == []


async def test_hang_lasts_until_the_caller_gives_up(slack: SimulatedSlack) -> None:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, timeout=0.1)  # type: ignore[arg-type]
    slack.faults.add("chat.postMessage", Fault.hang())
    with pytest.raises(TimeoutError):
        await post(client)


async def test_delay(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("auth.test", Fault.delay(0.1))
    started = time.monotonic()
    await client.auth_test()
    assert time.monotonic() - started >= 0.1


async def test_rate_limit_of_a_channel(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.rate_limit("chat.postMessage", per_second=0.01, per="channel")
    await post(client)
    with pytest.raises(SlackApiError, match="ratelimited") as caught:
        await post(client)
    assert caught.value.response.status_code == 429
    wait = int(caught.value.response.headers["Retry-After"])
    assert 70 <= wait <= 100  # the time that has passed counts
    await post(client, "C0DESIGN00")
    slack.clock.advance(wait)
    await post(client)


async def test_uploads_fail_too(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("upload", Fault.http(500))
    with pytest.raises(Exception, match="Failed to upload"):
        await client.files_upload_v2(content=png(), filename="a.png")
    assert [call.method for call in slack.calls] == ["files.getUploadURLExternal", "upload"]


async def test_the_whole_app_is_shut_out(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    for status in (200, 403):
        slack.block_app("token_revoked", status=status)
        for refused in (
            post(client),
            client.auth_test(),
            client.chat_update(channel="C", ts="1", text="x"),
        ):
            with pytest.raises(SlackApiError, match="token_revoked"):
                await refused
        assert {call.status for call in slack.calls[-3:]} == {status}
    slack.let_in()
    await client.auth_test()
    await post(client)


async def test_a_missing_scope_is_named(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.block_app("missing_scope", "chat.postMessage")
    with pytest.raises(SlackApiError) as caught:
        await post(client)
    answer = caught.value.response
    assert answer["needed"] == "chat:write"
    assert "chat:write" not in answer["provided"].split(",")
    assert answer.headers["x-oauth-scopes"] == answer["provided"]
    await client.auth_test()


async def test_a_refusal_can_have_any_status(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", Fault.refused("invalid_auth", 401))
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await post(client)
    assert slack.calls[-1].status == 401


async def test_any_answer_at_all(slack: SimulatedSlack) -> None:
    slack.faults.add("chat.postMessage", Fault.answer("[]"))
    slack.faults.add("chat.postMessage", Fault.answer("<p>", "text/html", 502, effect=True))
    url = f"{slack.api_url}chat.postMessage"
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    sent = {"channel": "C0GENERAL0", "text": "x"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(url, json=sent) as answer:
            assert (answer.status, await answer.text()) == (200, "[]")
            assert answer.content_type == "application/json"
        assert slack.messages("general") == []
        async with http.post(url, json=sent) as answer:
            assert (answer.status, await answer.text()) == (502, "<p>")
        assert len(slack.messages("general")) == 1
