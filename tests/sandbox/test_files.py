"""Uploads, the wait until a file is ready, and images that viewers see broken."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.sandbox.samples import image_blocks, png

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


async def test_private_files_need_the_token(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    url = (await client.files_info(file=await upload(png())))["file"]["url_private"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert response.status == 403
        token = {"Authorization": f"Bearer {slack.bot_token}"}
        async with session.get(url, headers=token) as response:
            assert await response.read() == png()
