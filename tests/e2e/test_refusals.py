"""What Slack refuses, in words that fit: an image that exists is delivered again and not paid for
again, and nobody is sent to another channel for what its operator has to mend."""

from __future__ import annotations

import time

import pytest

from bot.sandbox import Fault
from tests.support.processes import HastyProcess, World
from tests.support.scene import Scene, new_scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROCESS = HastyProcess
RUNS: list[tuple[str, dict[str, str]]] = [("dev", {})]

UPLOADS = [
    ("files.getUploadURLExternal", "storage_limit_reached", "no room left"),
    ("files.getUploadURLExternal", "file_uploads_disabled", "does not take files"),
    ("files.completeUploadExternal", "file_upload_size_restricted", "as large as"),
    ("files.completeUploadExternal", "upload_denied", "does not take files"),
    ("files.getUploadURLExternal", "storage_quota_exceeded", "no room left"),
    ("files.completeUploadExternal", "malware_detected", "does not take files"),
    ("files.getUploadURLExternal", "mercury_in_retrograde", "Slack did not take it"),
]


@pytest.mark.parametrize(("method", "code", "says"), UPLOADS)
async def test_an_image_that_slack_did_not_take_is_delivered_again_and_not_paid_for_again(
    scene: Scene, method: str, code: str, says: str
) -> None:
    scene.slack.faults.add(method, Fault(error=code), times=2)
    await scene.imagine()
    first = await scene.failure()
    assert "The image was made, but" in first.shown_text
    assert says in first.shown_text
    assert "another channel" not in first.shown_text
    await scene.click(first, "Try again")
    second = await scene.failure(after=first)
    assert says in second.shown_text
    await scene.click(second, "Try again")
    draft = await scene.draft(after=second)
    assert draft.shown_images() == [scene.openai.made[0].data]
    await scene.approved(draft)
    scene.assert_posted_once()


async def test_a_draft_that_slack_did_not_take_is_delivered_again(scene: Scene) -> None:
    scene.slack.faults.add(
        "chat.postMessage",
        Fault(error="restricted_action_thread_locked"),
        match=lambda args: any("slack_file" in block for block in args.get("blocks") or []),
    )
    await scene.imagine()
    failure = await scene.failure()
    assert "rules of" in failure.shown_text
    await scene.click(failure, "Try again")
    await scene.approved(await scene.draft(after=failure))
    scene.assert_posted_once()


async def test_several_images_are_delivered_again_together(scene: Scene) -> None:
    scene.slack.faults.add(
        "files.getUploadURLExternal", Fault(error="storage_limit_reached"), times=3
    )
    await scene.imagine("a fox --n 3")
    failure = await scene.failure()
    await scene.click(failure, "Try again")
    draft = await scene.draft(after=failure)
    assert len(draft.shown_images()) == 3
    assert scene.openai.paid == 3


async def test_a_file_that_is_deleted_before_it_is_approved_is_uploaded_anew(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    scene.slack.delete_file(draft.image_ids()[0])
    began = time.monotonic()
    await scene.click(draft, "Approve")
    final = await scene.final(draft)
    assert time.monotonic() - began < 10
    assert final.shown_images() == [scene.openai.made[0].data]
    await scene.slack.wait_for(lambda: not draft.buttons(), what="the draft retired")
    assert "was deleted" in draft.shown_text
    assert scene.openai.paid == 1


async def test_what_redis_no_longer_has_is_uploaded_anew_from_slacks_copy(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    await scene.until_stage("user_feedback")
    await scene.forget_images()
    scene.slack.faults.add("chat.postMessage", Fault(error="file_not_found"))
    await scene.click(draft, "Approve")
    final = await scene.final(draft)
    assert final.shown_images() == [scene.openai.made[0].data]
    assert final.image_ids() != draft.image_ids()
    assert len(scene.slack.calls_of("download")) == 1
    assert scene.openai.paid == 1


async def test_a_file_that_is_gone_for_good_is_said_to_be(scene: Scene) -> None:
    await scene.imagine()
    draft = await scene.draft()
    scene.slack.delete_file(draft.image_ids()[0])
    await scene.forget_images()
    began = time.monotonic()
    await scene.click(draft, "Approve")
    told = await scene.told("its file was deleted in Slack")
    assert time.monotonic() - began < 10
    assert "nvite" not in told.shown_text
    root = await scene.root()
    await scene.shows(root, "but Slack did not let me post it")


OPERATORS = ["ekm_access_denied", "access_denied", "no_permission", "app_access_restricted"]


@pytest.mark.parametrize("code", OPERATORS)
async def test_what_the_operator_has_to_mend_is_said_so(scene: Scene, code: str) -> None:
    scene.slack.faults.add("chat.postMessage", Fault(error=code))
    await scene.imagine()
    told = await scene.told("whoever runs this bot")
    assert "another channel" not in told.shown_text
    assert "nvite" not in told.shown_text
    assert scene.openai.paid == 0


@pytest.mark.parametrize("people", [("alice", "bob"), ("alice", "bob", "carol")])
async def test_nobody_is_told_to_invite_the_bot_into_a_direct_conversation(
    running: World, people: tuple[str, ...]
) -> None:
    scene = new_scene(running)
    scene.channel = running.slack.workspace.add_direct(*people)
    await scene.imagine()
    told = await scene.told("can't be added to this conversation")
    assert "/invite" not in told.shown_text
    assert scene.openai.paid == 0
    assert running.slack.calls_of("conversations.join") == []


async def test_nobody_is_told_to_invite_the_bot_into_an_archive(running: World) -> None:
    scene = new_scene(running)
    scene.channel.is_archived = True
    await scene.imagine()
    told = await scene.told("is archived")
    assert "nvite" not in told.shown_text


async def test_a_conversation_that_cannot_be_joined_is_not_said_to_take_the_bot(
    running: World,
) -> None:
    scene = new_scene(running)
    scene.channel.joinable = False
    scene.channel.members.discard(running.slack.bot_user_id)
    await scene.imagine()
    told = await scene.told("can't be added to this conversation")
    assert "/invite" not in told.shown_text


async def test_a_channel_that_is_archived_while_an_image_waits_is_told_of(running: World) -> None:
    scene = new_scene(running)
    scene.openai.hold("generating")
    await scene.imagine()
    await scene.openai.until_held()
    assert (await running.slack.archive(scene.channel)).ok
    direct = running.slack.workspace.direct(scene.alice.id)
    told = await running.slack.wait_for_message(direct, text="is archived")
    assert told.buttons()
    await scene.until_stage("initial_input")
    scene.openai.release()
    await scene.until_quiet()
    scene.channel.is_archived = False
    await scene.click(told, "Try again")
    draft = await scene.draft()
    assert draft.shown_images() == [scene.openai.made[0].data]
    assert scene.openai.paid == 1


async def test_nothing_is_called_after_the_app_is_uninstalled_until_it_is_installed_again(
    running: World,
) -> None:
    scene = new_scene(running)
    slack = running.slack
    scene.openai.hold("generating")
    await scene.imagine()
    await scene.openai.until_held()
    acks = await slack.uninstall(tokens_first=True)
    assert all(ack.ok for ack in acks)
    await slack.wait_for(
        lambda: "Slack refuses the app (event" in scene.log, 20, "the worker to know"
    )
    known = len(slack.calls)
    scene.openai.release()
    await scene.slack.wait_for(lambda: "waits for Slack" in scene.log, 20, "a job put off")
    called = {call.method for call in slack.calls[known:]}
    assert called <= {"auth.test", "apps.connections.open", "response_url"}
    slack.reinstall()
    await running.processes[-1].stop()
    await running.run("dev")
    await scene.draft(timeout=60)
    assert scene.openai.paid == 1
