"""A workspace that is kept in a folder between runs."""

import asyncio
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack, WorkspaceStorage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


async def test_everything_is_there_again(tmp_path: Path) -> None:
    async with SimulatedSlack() as slack:
        keeping = asyncio.create_task(WorkspaceStorage(slack.workspace, tmp_path).run())
        await asyncio.sleep(0)
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        posted = await client.chat_postMessage(channel=slack.channel("general").id, text="first")
        await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="second")
        ack = await slack.say("alice", slack.direct("alice"), "mine", files=[("a.png", PNG)])
        slack.workspace.invite_bot(slack.channel("outsiders"), slack.user("alice").id)
        before = slack.to_json()
    await keeping
    async with SimulatedSlack() as again:
        WorkspaceStorage(again.workspace, tmp_path)
        after = again.to_json()
        kept = ("messages", "channels", "users")
        assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
        (message,) = again.messages(again.direct("alice"))
        assert message.shown_images() == [PNG]
        assert [state.text for state in again.messages("general")[0].history] == ["first", "second"]
        more = await again.say("alice", "general", "", files=[("b.png", PNG)])
        assert more.message.files != ack.message.files


async def test_change_is_saved_soon(tmp_path: Path) -> None:
    async with SimulatedSlack() as slack:
        keeping = asyncio.create_task(WorkspaceStorage(slack.workspace, tmp_path).run())
        await asyncio.sleep(0)
        await slack.say("alice", "general", "hello")
        kept = tmp_path / "workspace.json"
        await slack.wait_for(kept.exists, what="a saved workspace")
        assert "hello" in (tmp_path / "workspace.json").read_text()
    await keeping


async def test_deleted_file_leaves_the_folder(tmp_path: Path) -> None:
    async with SimulatedSlack() as slack:
        keeper = WorkspaceStorage(slack.workspace, tmp_path)
        await slack.say("alice", "general", "look", files=[("a.png", PNG)])
        (file,) = slack.workspace.files.all()
        keeper.save()
        assert (tmp_path / "files" / file.id).read_bytes() == PNG
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        file.user = slack.bot_user_id
        await client.files_delete(file=file.id)
        keeper.save()
        assert not (tmp_path / "files" / file.id).exists()
    again = SimulatedSlack()
    WorkspaceStorage(again.workspace, tmp_path)
    assert again.messages("general")[0].shown_images() == [None]
