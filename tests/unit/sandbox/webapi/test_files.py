"""Uploads, the wait until a file is ready, and images that viewers see broken."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.support.samples import image_blocks, png

Upload = Callable[[bytes], Awaitable[str]]


async def post(client: AsyncWebClient, file_id: str) -> str:
    answer = await client.chat_postMessage(
        channel="C0GENERAL0", text="an image", blocks=image_blocks(file_id)
    )
    return str(answer["ts"])


async def test_viewers_see_an_uploaded_image(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    file_id = await upload(png())
    ts = await post(client, file_id)
    message = slack.message("general", ts)
    assert message.image_ids() == [file_id]
    assert message.shown_images() == [png()]
    assert slack.violations == []


async def test_file_is_not_ready_at_once(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    slack.workspace.files.ready_after = 1.5
    file_id = await upload(png())
    assert "mimetype" not in (await client.files_info(file=file_id))["file"]
    with pytest.raises(SlackApiError) as caught:
        await post(client, file_id)
    assert caught.value.response["error"] == "invalid_blocks"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"
    ]
    slack.clock.advance(2)
    assert await post(client, file_id)
    assert (await client.files_info(file=file_id))["file"]["mimetype"] == "image/png"
    assert slack.violations == []


@pytest.mark.parametrize("data", [b"RIFF0000WEBPVP8 ", b"no image"])
async def test_what_is_no_showable_image_is_refused(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload, data: bytes
) -> None:
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await post(client, await upload(data))
    assert slack.violations


async def test_swapping_the_file_of_a_message_shows_a_broken_image(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    first, second = await upload(png()), await upload(png(3, 3))
    ts = await post(client, first)
    update: Any = {"channel": "C0GENERAL0", "ts": ts, "text": "x"}
    await client.chat_update(**update, blocks=image_blocks(first))
    message = slack.message("general", ts)
    assert message.shown_images() == [png()]
    assert slack.violations == []
    assert (await client.chat_update(**update, blocks=image_blocks(second)))["ok"]
    assert message.shown_images() == [None]
    assert len(slack.violations) == 1


async def test_echoed_blocks_are_refused(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    ts = await post(client, await upload(png()))
    echoed = slack.message("general", ts).blocks
    with pytest.raises(SlackApiError, match="image_width"):
        await client.chat_update(channel="C0GENERAL0", ts=ts, text="x", blocks=echoed)


async def test_upload_of_another_length_is_refused(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    place = await client.files_getUploadURLExternal(filename="a.png", length=5)
    async with (
        aiohttp.ClientSession() as session,
        session.post(place["upload_url"], data=b"123") as response,
    ):
        assert response.status == 400
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": place["file_id"]}])


async def test_deleted_file_shows_broken(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    file_id = await upload(png())
    ts = await post(client, file_id)
    await client.files_delete(file=file_id)
    assert slack.message("general", ts).shown_images() == [None]


async def test_shared_upload_appears_in_its_thread_a_moment_later(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    root = (await client.chat_postMessage(channel="C0GENERAL0", text="root"))["ts"]
    await client.files_upload_v2(
        content=png(), filename="a.png", channel="C0GENERAL0", thread_ts=root
    )
    message = await slack.wait_for_message("general", root, image=True)
    assert message.shown_images() == [png()]


async def test_alt_txt_loses_a_shared_upload(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    await client.files_upload_v2(
        content=png(), filename="a.png", channel="C0GENERAL0", alt_txt="a robot"
    )
    await asyncio.sleep(0.05)
    assert slack.messages("general") == []
    assert "alt_txt" in slack.violations[0]


async def test_private_files_need_the_token_or_show_a_login_page(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    file = (await client.files_info(file=await upload(png())))["file"]
    token = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession() as session:
        for url in (file["url_private"], file["url_private_download"]):
            async with session.get(url) as response:
                assert (response.status, response.content_type) == (200, "text/html")
                assert [r.status for r in response.history] == [302]
            async with session.get(url, headers=token) as response:
                assert (response.content_type, await response.read()) == ("image/png", png())
    assert [call.ok for call in slack.calls_of("download")] == [False, True] * 2


async def test_what_people_share_is_seen_where_the_bot_is_a_member(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    seen = (await slack.say("alice", "general", "look", files=[png(3, 2)])).message
    (file_id,) = seen.files
    file = (await client.files_info(file=file_id))["file"]
    assert (file["mimetype"], file["filetype"], file["mode"]) == ("image/png", "png", "hosted")
    assert (file["original_w"], file["original_h"], file["size"]) == (3, 2, len(png(3, 2)))
    assert file["channels"] == [slack.channel("general").id]
    assert await post(client, file_id)
    hidden = (await slack.say("alice", "outsiders", "look", files=[png()])).message
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_info(file=hidden.files[0])
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await post(client, hidden.files[0])


async def test_without_the_scope_files_can_be_neither_described_nor_fetched() -> None:
    async with SimulatedSlack(scopes={"chat:write"}) as slack, aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        message = (await slack.say("alice", "general", "look", files=[png()])).message
        with pytest.raises(SlackApiError, match="missing_scope"):
            await client.files_info(file=message.files[0])
        url = message.payload()["files"][0]["url_private"]
        token = {"Authorization": f"Bearer {slack.bot_token}"}
        async with session.get(url, headers=token) as response:
            assert response.content_type == "text/html"


async def test_files_of_others_cannot_be_deleted(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    message = (await slack.say("alice", "general", "look", files=[png()])).message
    with pytest.raises(SlackApiError, match="cant_delete_file"):
        await client.files_delete(file=message.files[0])
    mine = await upload(png())
    await client.files_delete(file=mine)
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_delete(file=mine)
