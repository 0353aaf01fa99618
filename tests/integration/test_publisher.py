"""`SlackPublisher` against the simulated Slack: what is shown, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.slack import SlackPublisher, web_api
from bot.domain import begin, generation, transitions
from bot.domain.attempt import ImageRef
from bot.domain.costs import CallState, PaidCall, Reservation
from bot.domain.errors import ImageNotReady, NotInChannel, SlackBusy, SlackRefused, SlackUnavailable
from bot.domain.failures import FailureKind
from bot.domain.limits import Quota, Standing
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.progress.draft_refresher import DraftRefresher
from bot.sandbox import PATIENCE, Fault, SimulatedSlack
from bot.views import failure_words as words
from tests.fakes import FakeSessionStore, a_session, generating, with_latest
from tests.support.published import (
    IMAGE,
    approved,
    image_of,
    in_thread,
    place,
    posted,
    publisher_for,
    reviewed,
    uploaded,
    with_candidate,
    with_file,
    with_files,
)

HOSTILE = "<!channel> <@U123> <https://x|y> & * _ ~ `"
SCOPES = {"chat:write", "commands", "files:write"}
KEPT_WAIT = web_api._wait


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are a tenth of what they are."""
    monkeypatch.setattr(web_api, "_wait", lambda state: KEPT_WAIT(state) / 10)


@pytest.fixture
async def publisher(slack: SimulatedSlack) -> AsyncIterator[SlackPublisher]:
    async with publisher_for(slack) as made:
        yield made


def bot_messages(slack: SimulatedSlack) -> list[Any]:
    return [m for m in slack.workspace.log if m.user == slack.bot_user_id and not m.ephemeral_to]


# each method


async def test_the_root_says_who_what_and_where_it_stands(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = place(slack, generating(root_ts="", thread_ts="", task_input=HOSTILE))
    ts = await publisher.post_root(session, 2, repeated=False)
    (root,) = slack.messages("general")
    assert root.ts == ts
    assert f"<@{session.user}>" in root.shown_text
    assert HOSTILE in root.shown_text
    assert "2 ahead" in root.shown_text
    assert set(root.pings()) == {f"<@{session.user}>"}
    (call,) = slack.calls_of("chat.postMessage")
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)
    assert slack.violations == []


async def test_the_status_is_edited_in_the_root(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    await publisher.show_status(replace(session, stage=Stage.USER_FEEDBACK), None)
    (root,) = slack.messages("general")
    assert "Waiting for review" in root.shown_text
    (call,) = slack.calls_of("chat.update")
    assert (call.args["parse"], call.args["link_names"]) == ("none", False)
    assert slack.violations == []


async def test_the_longest_prompt_in_brackets_can_be_shown_and_edited(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating(task_input="<&>" * 10_000))
    await publisher.show_status(session, None)
    assert slack.violations == []


async def test_an_upload_is_seen_by_nobody(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    file = slack.workspace.files.get(session.latest.candidate(1).file_id)
    assert file is not None
    assert (file.data, file.channels, file.name) == (IMAGE, [], "imagine-attempt-1.png")
    assert slack.messages("general", session.thread_ts) == []
    assert slack.violations == []


async def test_the_draft_comes_into_the_thread_alone_with_its_buttons(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await reviewed(slack, publisher)
    (draft,) = slack.messages("general", session.thread_ts)
    assert draft.ts == session.latest.message_ts
    assert draft.shown_images() == [IMAGE]
    labels = [b.split(" ", 1)[1] for b in draft.buttons()]
    assert labels == ["Approve", "Regenerate", "Refine", "Edit prompt"]
    assert len(slack.timeline("general")) == 1
    assert slack.violations == []


async def test_a_draft_shows_the_next_attempt_and_keeps_its_image(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await reviewed(slack, publisher)
    again = begin.regenerate(session, 1, time.time())
    await publisher.refresh_draft(again, 1)
    (draft,) = slack.messages("general", session.thread_ts)
    assert draft.buttons() == ["🛑 Cancel"]
    assert "Queued, attempt 2" in draft.shown_text
    assert draft.shown_images() == [IMAGE]
    failed = generation.attempt_failed(again, 2, FailureKind.QUOTA, "w", "7", time.time())
    await publisher.refresh_draft(failed, 1)
    assert len(draft.buttons()) == 4
    assert slack.violations == []


@pytest.mark.parametrize("drafts", [2, 5, 10])
async def test_the_edits_of_an_attempt_do_not_grow_with_the_drafts_before_it(
    slack: SimulatedSlack, publisher: SlackPublisher, drafts: int
) -> None:
    session = await reviewed(slack, publisher)
    earlier = tuple(replace(session.latest, number=n) for n in range(1, drafts + 1))
    again = begin.regenerate(replace(session, attempts=earlier), drafts, time.time())
    await DraftRefresher(FakeSessionStore(again), publisher).refresh(again.id)
    assert len(slack.calls_of("chat.update")) == min(drafts, 3)
    failed = generation.attempt_failed(again, drafts + 1, FailureKind.QUOTA, "w", "7", time.time())
    await DraftRefresher(FakeSessionStore(failed), publisher).refresh(again.id, before=drafts + 1)
    assert len(slack.calls_of("chat.update")) == 2 * min(drafts, 3)
    assert slack.violations == []


async def test_a_failure_shows_the_status_of_the_attempt_that_follows_it(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    ts = await publisher.post_failure(session, 1, "Wait.", try_again=True, repeated=False)
    failed = generation.attempt_failed(session, 1, FailureKind.TIMED_OUT, "w", ts, time.time())
    again = begin.try_again(failed, 1, time.time())
    await publisher.show_thread_status(again)
    (shown,) = slack.messages("general", session.thread_ts)
    assert shown.buttons() == ["🛑 Cancel"]
    assert "Queued, attempt 2" in shown.shown_text
    stopped = transitions.cancel(again, 2, "w", time.time())
    await publisher.refresh_failure(stopped)
    (shown,) = slack.messages("general", session.thread_ts)
    assert [b.split(" ", 1)[1] for b in shown.buttons()] == ["Try again", "Edit prompt"]
    assert slack.violations == []


async def test_without_a_draft_or_a_failure_no_status_is_written_in_the_thread(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    await publisher.show_thread_status(session)
    await publisher.refresh_failure(session)
    assert slack.calls_of("chat.update") == []


async def test_a_failure_comes_into_the_thread_with_its_way_out(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    said = words.failure_words(FailureKind.DECLINED, said=HOSTILE)
    await publisher.post_failure(session, 1, said, try_again=False, repeated=False)
    (failure,) = slack.messages("general", session.thread_ts)
    assert [b.split(" ", 1)[1] for b in failure.buttons()] == ["Edit prompt"]
    assert set(failure.pings()) == {f"<@{session.user}>"}
    assert slack.violations == []


async def test_the_final_image_goes_to_the_thread_and_the_channel(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await approved(slack, publisher)
    ts = await publisher.post_final(session, repeated=False)
    await publisher.refresh_draft(session, 1)
    final = slack.timeline("general")[-1]
    assert (final.ts, final.reply_broadcast, final.thread_ts) == (ts, True, session.thread_ts)
    assert final.shown_images() == [IMAGE]
    assert [b.split(" ", 1)[1] for b in final.buttons()] == ["Edit this image", "Start over"]
    draft = slack.message("general", session.latest.message_ts)
    assert "Approved by" in draft.shown_text
    assert draft.buttons() == []
    assert slack.violations == []


# several images, and threads of others


async def test_the_images_that_came_are_in_one_message_each_with_its_own_buttons(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await posted(publisher, await with_files(slack, publisher))
    (draft,) = slack.messages("general", session.thread_ts)
    assert draft.shown_images() == [IMAGE, IMAGE]
    ids = [element["action_id"] for _, element in draft.elements()]
    assert ids[:4] == ["approve", "refine", "approve_3", "refine_3"]
    assert len(ids) == len(set(ids))
    names = [slack.workspace.files.get(file_id) for file_id in draft.image_ids()]
    assert [file.name for file in names if file] == [
        "imagine-attempt-1.png",
        "imagine-attempt-1-3.png",
    ]
    assert slack.violations == []


async def test_the_approved_image_of_several_is_the_final_one(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await posted(publisher, await with_files(slack, publisher))
    session = transitions.approve(session, ImageRef(1, 3), session.user, time.time())
    final = slack.message("general", await publisher.post_final(session, repeated=False))
    assert final.image_ids() == [session.latest.candidate(3).file_id]
    await publisher.refresh_draft(session, 1)
    draft = slack.message("general", session.latest.message_ts)
    assert (draft.buttons(), draft.shown_images()) == ([], [IMAGE, IMAGE])
    assert slack.violations == []


async def test_a_session_in_a_thread_of_others_is_posted_and_found_there(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    root = (await slack.say("bob", "general", "what do you think?")).message
    for n in range(120):
        slack.workspace.post(root.channel, root.user, f"{n}", [], thread_ts=root.ts)
    session = place(slack, generating(root_ts="", thread_ts=root.ts))
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    with one_more_message(slack):
        session = replace(session, root_ts=await publisher.post_root(session, 0, repeated=False))
        assert await publisher.post_root(session, 0, repeated=True) == session.root_ts
    assert slack.messages("general", root.ts)[-1].ts == session.root_ts
    await publisher.show_status(replace(session, stage=Stage.USER_FEEDBACK), None)
    assert "Waiting for review" in slack.message("general", session.root_ts).shown_text
    assert root.shown_text == "what do you think?"
    assert slack.calls_of("conversations.history") == []
    assert slack.violations == []


async def test_a_session_in_a_direct_conversation_goes_its_whole_way(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    direct = slack.direct("alice")
    session = place(slack, generating(root_ts="", thread_ts=""), direct.id)
    ts = await publisher.post_root(session, 0, repeated=False)
    session = await uploaded(publisher, replace(session, root_ts=ts, thread_ts=ts))
    session = await posted(publisher, session)
    session = transitions.approve(session, ImageRef(1), session.user, time.time())
    final = await publisher.post_final(session, repeated=False)
    await publisher.tell_owner(session, "words")
    assert [m.ts for m in slack.timeline(direct)] == [ts, final]
    assert [m.text for m in slack.ephemerals("alice", direct)] == ["words"]
    assert slack.violations == []


# a file that is not ready


async def test_a_file_that_gets_ready_late_is_waited_for() -> None:
    async with SimulatedSlack(file_ready_after=0.8) as slack, publisher_for(slack) as publisher:
        session = await reviewed(slack, publisher)
        posts = [c for c in slack.calls_of("chat.postMessage") if c.args.get("thread_ts")]
        assert len(posts) > 1
        assert [c.error for c in posts[:-1]] == ["invalid_blocks"] * (len(posts) - 1)
        (draft,) = slack.messages("general", session.thread_ts)
        assert draft.shown_images() == [IMAGE]
        assert slack.violations == []


async def test_a_file_that_never_gets_ready_is_shared_with_the_buttons_below() -> None:
    async with (
        SimulatedSlack(file_ready_after=60) as slack,
        publisher_for(slack, ready_within=0.2) as publisher,
    ):
        session = await with_file(slack, publisher)
        with pytest.raises(ImageNotReady):
            await publisher.post_draft(session, 1, repeated=False)
        await publisher.share(session, image_of(session), IMAGE)
        session = with_latest(session, as_file=True)
        ts = await publisher.post_draft(session, 1, repeated=False)
        (buttons,) = slack.messages("general", session.thread_ts)
        assert buttons.ts == ts
        assert len(buttons.buttons()) == 4
        assert buttons.image_ids() == []
        approved = transitions.approve(
            generation.draft_posted(session, 1, ts, time.time()),
            ImageRef(1),
            session.user,
            time.time(),
        )
        await publisher.refresh_draft(approved, 1)
        assert buttons.buttons() == []
        final = await publisher.post_final(approved, repeated=False)
        assert "See the image" in slack.message("general", final).shown_text
        for message in (buttons, slack.message("general", final)):
            assert "AI-generated" in message.shown_text
        shared = slack.calls_of("files.completeUploadExternal")[-1].args
        assert "AI-generated" in str(shared["files"])
        assert (shared["channel_id"], shared["thread_ts"]) == (session.channel, session.thread_ts)
        assert slack.violations == []


def completed_with(slack: SimulatedSlack) -> list[str]:
    """The `highlight_type` of each upload that was asked to be completed; empty without one."""
    calls = slack.calls_of("files.completeUploadExternal")
    return [json.loads(call.args["files"])[0].get("highlight_type", "") for call in calls]


@pytest.mark.parametrize(
    ("mime_type", "hint"), [("image/png", "png"), ("image/jpeg", "jpg"), ("image/gif", "gif")]
)
async def test_slack_is_told_what_a_file_is_and_still_given_time(
    slack: SimulatedSlack, publisher: SlackPublisher, mime_type: str, hint: str
) -> None:
    session = await in_thread(slack, publisher, generating())
    session = with_candidate(session, width=2, height=1, mime_type=mime_type)
    await publisher.upload(session, image_of(session), IMAGE)
    assert completed_with(slack) == [hint]
    assert slack.violations == []


@pytest.mark.parametrize("code", ["invalid_arguments", "invalid_arg_name"])
async def test_a_slack_that_does_not_know_the_hint_is_asked_without_it_from_then_on(
    slack: SimulatedSlack, publisher: SlackPublisher, code: str
) -> None:
    session = await in_thread(slack, publisher, generating())
    slack.faults.add("files.completeUploadExternal", Fault(error=code))
    session = await uploaded(publisher, session)
    await uploaded(publisher, session)
    assert completed_with(slack) == ["png", "", ""]
    await publisher.post_draft(session, 1, repeated=False)
    assert slack.messages("general", session.thread_ts)[-1].shown_images()


async def test_another_refusal_of_an_upload_is_no_matter_of_the_hint(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    slack.faults.add("files.completeUploadExternal", Fault(error="storage_limit_reached"))
    with pytest.raises(SlackRefused):
        await publisher.upload(session, image_of(session), IMAGE)
    assert completed_with(slack) == ["png"]


async def test_other_faults_in_blocks_are_not_waited_for(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    slack.faults.add("chat.postMessage", Fault(error="invalid_blocks"))
    with pytest.raises(SlackRefused) as refused:
        await publisher.post_draft(session, 1, repeated=False)
    assert refused.value.code == "invalid_blocks"
    assert slack.messages("general", session.thread_ts) == []


# a Slack, or a gateway, that knows less


async def test_a_channel_that_cannot_be_joined_is_told_at_once(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    slack.faults.add("conversations.join", Fault.http(404), times=20)
    session = place(slack, generating(root_ts="", thread_ts=""), "outsiders")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(NotInChannel):
            await publisher.post_root(session, 0, repeated=False)


@pytest.mark.parametrize("missing", [Fault.http(404), Fault(error="unknown_method")])
async def test_where_nothing_can_be_looked_up_the_draft_is_posted_all_the_same(
    slack: SimulatedSlack, publisher: SlackPublisher, missing: Fault
) -> None:
    session = await with_file(slack, publisher)
    slack.faults.add("conversations.replies", missing, times=20)
    async with asyncio.timeout(PATIENCE):
        await publisher.post_draft(session, 1, repeated=True)
    assert len(slack.messages("general", session.thread_ts)) == 1


async def test_a_look_that_takes_too_long_does_not_keep_the_draft_back(
    slack: SimulatedSlack, publisher: SlackPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.slack.message_search.LOOK_FOR", 0.5)
    session = await with_file(slack, publisher)
    slack.faults.add("conversations.replies", Fault.http(503), times=20)
    async with asyncio.timeout(10):
        await publisher.post_draft(session, 1, repeated=True)
    assert len(slack.messages("general", session.thread_ts)) == 1


async def test_nothing_is_posted_again_without_a_look_while_slack_is_away(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    first = await publisher.post_draft(session, 1, repeated=False)
    slack.faults.add("conversations.replies", Fault.http(503), times=5)  # for 11.5 s
    assert await publisher.post_draft(session, 1, repeated=True) == first
    assert len(slack.messages("general", session.thread_ts)) == 1


@pytest.mark.parametrize("busy", [False, True])
async def test_whoever_has_waited_for_long_looks_whether_another_has_posted(
    slack: SimulatedSlack,
    publisher: SlackPublisher,
    monkeypatch: pytest.MonkeyPatch,
    busy: bool,
) -> None:
    """It may have been taken for dead meanwhile."""
    monkeypatch.setattr(publisher._poster, "_taken_for_dead", 0.05)
    if busy:
        slack.faults.add(
            "chat.postMessage", Fault.rate_limited(1), match=lambda a: "thread_ts" in a
        )
    else:
        slack.workspace.files.ready_after = 3600
    session = await with_file(slack, publisher)
    before = len(slack.calls_of("chat.postMessage"))
    waiting = asyncio.create_task(publisher.post_draft(session, 1, repeated=False))
    await slack.wait_for(lambda: slack.calls_of("chat.postMessage")[before:], what="the first try")
    file = slack.workspace.files.get(session.latest.candidate(1).file_id)
    assert file is not None
    file.ready_at = 0.0
    other = await publisher.post_draft(session, 1, repeated=False)
    assert await waiting == other
    assert len(slack.messages("general", session.thread_ts)) == 1


async def test_a_look_that_would_have_to_wait_too_long_is_not_taken(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    slack.faults.add("conversations.replies", Fault.rate_limited(2_000), times=20)
    async with asyncio.timeout(10):
        await publisher.post_draft(session, 1, repeated=True)
    assert len(slack.calls_of("conversations.replies")) == 1
    assert len(slack.messages("general", session.thread_ts)) == 1


# Slack busy, broken, or silent


@contextmanager
def one_more_message(slack: SimulatedSlack) -> Iterator[None]:
    before = len(bot_messages(slack))
    yield
    assert len(bot_messages(slack)) == before + 1, slack.describe()
    assert slack.violations == []


Post = Callable[[SlackPublisher, Session], Any]
POSTS: dict[str, tuple[Callable[..., Any], Post]] = {
    "root": (
        lambda slack, publisher: _unposted(slack),
        lambda p, s: p.post_root(s, 0, repeated=False),
    ),
    "draft": (with_file, lambda p, s: p.post_draft(s, 1, repeated=False)),
    "failure": (
        lambda slack, publisher: in_thread(slack, publisher, generating()),
        lambda p, s: p.post_failure(s, 1, "w", try_again=True, repeated=False),
    ),
    "final": (approved, lambda p, s: p.post_final(s, repeated=False)),
}


async def _unposted(slack: SimulatedSlack) -> Session:
    return place(slack, generating(root_ts="", thread_ts=""))


FAULTS = {
    "lost answer": Fault.lost_answer(),
    "dropped": Fault.dropped(),
    "500": Fault.http(500),
    "503": Fault.http(503),
    "internal_error": Fault(error="internal_error"),
    "service_unavailable": Fault(error="service_unavailable"),
    "429": Fault.rate_limited(1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("kind", list(POSTS))
async def test_a_message_is_posted_exactly_once(
    slack: SimulatedSlack, publisher: SlackPublisher, kind: str, fault: Fault
) -> None:
    prepare, post = POSTS[kind]
    session = await prepare(slack, publisher)
    slack.faults.add("chat.postMessage", fault)
    with one_more_message(slack):
        ts = await post(publisher, session)
    assert ts == bot_messages(slack)[-1].ts


@pytest.mark.parametrize("kind", list(POSTS))
async def test_a_message_that_an_earlier_run_posted_is_found(
    slack: SimulatedSlack, publisher: SlackPublisher, kind: str
) -> None:
    prepare, post = POSTS[kind]
    session = await prepare(slack, publisher)
    with one_more_message(slack):
        first = await post(publisher, session)
        repeat: dict[str, Callable[[], Any]] = {
            "root": lambda: publisher.post_root(session, 0, repeated=True),
            "draft": lambda: publisher.post_draft(session, 1, repeated=True),
            "failure": lambda: publisher.post_failure(
                session, 1, "w", try_again=True, repeated=True
            ),
            "final": lambda: publisher.post_final(session, repeated=True),
        }
        assert await repeat[kind]() == first


async def test_a_repeated_post_of_what_was_never_posted_posts_it(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    with one_more_message(slack):
        await publisher.post_draft(session, 1, repeated=True)


async def test_anothers_message_is_not_taken_for_ours(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await reviewed(slack, publisher)
    second = await uploaded(publisher, begin.regenerate(session, 1, time.time()))
    with one_more_message(slack):
        ts = await publisher.post_draft(second, 2, repeated=True)
    assert ts != session.attempt(1).message_ts


async def test_a_message_far_down_a_long_thread_is_found(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    for n in range(120):
        slack.workspace.post(session.channel, session.user, f"{n}", [], thread_ts=session.thread_ts)
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    with one_more_message(slack):
        await publisher.post_draft(session, 1, repeated=False)


async def test_slacks_retry_after_is_kept(
    slack: SimulatedSlack, publisher: SlackPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_api, "_wait", KEPT_WAIT)
    session = await _unposted(slack)
    slack.faults.add("chat.postMessage", Fault.rate_limited(1))
    await publisher.post_root(session, 0, repeated=False)
    first, second = slack.calls_of("chat.postMessage")
    assert 1.0 <= second.at - first.at < 1.6
    assert slack.calls_of("conversations.history") == []  # it had no effect: nothing to look for


UPLOADS = [
    pytest.param(step, fault, id=f"{step} {name}")
    for step in ("files.getUploadURLExternal", "upload", "files.completeUploadExternal")
    for name, fault in FAULTS.items()
    if step != "upload" or fault.kind != "error"  # it answers with a status alone
]


@pytest.mark.parametrize(("step", "fault"), UPLOADS)
async def test_an_upload_gets_through(
    slack: SimulatedSlack, publisher: SlackPublisher, step: str, fault: Fault
) -> None:
    session = await in_thread(slack, publisher, generating())
    slack.faults.add(step, fault)
    file_id = await publisher.upload(session, image_of(session), IMAGE)
    assert slack.workspace.files.showable(file_id)
    assert slack.violations == []


async def test_an_upload_that_is_refused_says_so(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    slack.faults.add("upload", Fault.http(403))
    with pytest.raises(SlackRefused):
        await publisher.upload(session, image_of(session), IMAGE)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_draft_is_edited_whatever_happens(
    slack: SimulatedSlack, publisher: SlackPublisher, fault: Fault
) -> None:
    session = await approved(slack, publisher)
    slack.faults.add("chat.update", fault)
    await publisher.refresh_draft(session, 1)
    assert "Approved by" in slack.message("general", session.latest.message_ts).shown_text
    assert slack.violations == []


async def test_a_status_is_never_waited_for(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    slack.faults.add("chat.update", Fault.rate_limited(30))
    with pytest.raises(SlackBusy) as busy:
        await publisher.show_status(session, None)
    assert busy.value.retry_after == 30
    assert len(slack.calls_of("chat.update")) == 1


async def test_patience_ends(
    slack: SimulatedSlack, publisher: SlackPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.slack.message_poster.PATIENCE", 0.3)
    slack.faults.add("chat.postMessage", Fault.http(503), times=1000)
    with pytest.raises(SlackUnavailable) as unavailable:
        await publisher.post_root(await _unposted(slack), 0, repeated=False)
    assert "upstream" not in str(unavailable.value)


async def test_a_real_rate_limit_slows_down_and_breaks_nothing(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    slack.rate_limit("chat.postMessage", 4)
    sessions = [replace(await _unposted(slack), id=f"T1.U1.{n}") for n in range(3)]
    posted = await asyncio.gather(
        *(publisher.post_root(session, 0, repeated=False) for session in sessions)
    )
    assert len(set(posted)) == len(slack.messages("general")) == 3
    assert slack.violations == []


# where the bot is no member


async def test_a_public_channel_is_joined(slack: SimulatedSlack, publisher: SlackPublisher) -> None:
    session = place(slack, generating(root_ts="", thread_ts=""), "outsiders")
    ts = await publisher.post_root(session, 0, repeated=False)
    assert slack.message("outsiders", ts)
    assert slack.bot_user_id in slack.channel("outsiders").members
    assert slack.violations == []


async def test_a_private_channel_cannot_be_joined(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = place(slack, generating(root_ts="", thread_ts=""), "secret")
    with pytest.raises(NotInChannel) as absent:
        await publisher.post_root(session, 0, repeated=False)
    assert absent.value.code == "channel_not_found"
    assert slack.violations == []


async def test_without_the_scope_to_join_the_bot_is_not_in_the_channel() -> None:
    async with SimulatedSlack(scopes=SCOPES) as slack, publisher_for(slack) as publisher:
        session = place(slack, generating(root_ts="", thread_ts=""), "outsiders")
        with pytest.raises(NotInChannel) as absent:
            await publisher.post_root(session, 0, repeated=False)
        assert absent.value.code == "not_in_channel"
        assert slack.violations == ["conversations.join: missing_scope channels:join"]


async def test_without_the_scope_to_look_a_message_is_posted_all_the_same() -> None:
    async with SimulatedSlack(scopes=SCOPES) as slack, publisher_for(slack) as publisher:
        session = await with_file(slack, publisher)
        await publisher.post_draft(session, 1, repeated=True)
        (draft,) = slack.messages("general", session.thread_ts)
        assert draft.shown_images() == [IMAGE]
        assert slack.violations == ["conversations.replies: missing_scope channels:history"]


async def test_an_archived_channel_is_a_refusal_of_another_kind(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    slack.channel("general").is_archived = True
    with pytest.raises(SlackRefused) as refused:
        await publisher.post_root(await _unposted(slack), 0, repeated=False)
    assert refused.value.code == "is_archived"
    assert not isinstance(refused.value, NotInChannel)


# telling the owner


async def told(slack: SimulatedSlack, channel: str, **changes: str) -> Session:
    session = place(slack, a_session(Stage.INITIAL_INPUT), channel)
    return replace(session, **changes)  # type: ignore[arg-type]


def response_url(slack: SimulatedSlack, channel: str) -> str:
    made = slack.workspace.tickets.response_url(slack.user("alice").id, slack.channel(channel).id)
    return f"{slack.workspace.base_url}/response/{made.id}"


@pytest.mark.parametrize("channel", ["general", "outsiders", "secret"])
async def test_the_owner_is_told_on_the_response_url_wherever_it_is(
    slack: SimulatedSlack, publisher: SlackPublisher, channel: str
) -> None:
    session = await told(slack, channel, response_url=response_url(slack, channel))
    await publisher.tell_owner(session, "invite me")
    (notice,) = slack.ephemerals("alice", channel)
    assert notice.text == "invite me"
    assert slack.calls_of("chat.postEphemeral") == []
    assert slack.violations == []


async def test_once_the_response_url_has_expired_an_ephemeral_message_does_it(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await told(slack, "general", response_url=response_url(slack, "general"))
    slack.clock.advance(31 * 60)
    await publisher.tell_owner(session, "words")
    (notice,) = slack.ephemerals("alice", "general")
    assert notice.text == "words"
    assert slack.violations == []


@pytest.mark.parametrize("channel", ["outsiders", "secret"])
async def test_where_the_bot_may_not_write_a_direct_message_does_it(
    slack: SimulatedSlack, publisher: SlackPublisher, channel: str
) -> None:
    await publisher.tell_owner(await told(slack, channel), "words")
    (notice,) = slack.messages(slack.direct("alice"))
    assert notice.text == "words"
    assert slack.ephemerals("alice") == []
    assert slack.violations == []


async def test_somebody_without_a_session_is_told_in_a_direct_message(
    slack: SimulatedSlack, publisher: SlackPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    await publisher.tell_person(slack.user("alice").id, "words")
    (notice,) = slack.messages(slack.direct("alice"))
    assert notice.text == "words"
    await publisher.tell_person("U-nobody", "words")
    assert "could not be delivered" in caplog.text


async def test_a_busy_slack_is_told_a_notice_once_more_and_an_answer_that_is_lost_is_not(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    alice = slack.user("alice")
    slack.faults.add("chat.postMessage", Fault.rate_limited(1), times=2)
    await publisher.tell_person(alice.id, "busy")
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    with pytest.raises(SlackUnavailable):
        await publisher.tell_person(alice.id, "lost")
    assert [m.text for m in slack.messages(slack.direct(alice))] == ["busy", "lost"]


async def test_an_ephemeral_message_stands_in_the_thread(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await in_thread(slack, publisher, generating())
    await publisher.tell_owner(replace(session, response_url=""), "words")
    (call,) = slack.calls_of("chat.postEphemeral")
    assert call.args["thread_ts"] == session.thread_ts


async def test_a_notice_that_nobody_can_be_given_raises_nothing(
    slack: SimulatedSlack, publisher: SlackPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    session = await told(slack, "general", response_url=response_url(slack, "general"))
    slack.faults.add("response_url", Fault.dropped())
    slack.faults.add("*", Fault(error="user_not_found"), times=100)
    await publisher.tell_owner(session, "words")
    assert "could not be delivered" in caplog.text
    assert len(slack.calls) == 3


async def test_a_notice_is_not_lost_while_slack_is_away(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await told(slack, "general", response_url=response_url(slack, "general"))
    slack.faults.add("*", Fault.dropped(), times=3)
    with pytest.raises(SlackUnavailable):
        await publisher.tell_owner(session, "words")
    assert len(slack.calls) == 3
    await publisher.tell_owner(session, "words")
    assert [notice.text for notice in slack.ephemerals("alice", "general")] == ["words"]


async def test_a_draft_tells_the_budget_of_which_the_least_is_left(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    asked = []

    async def tightest(*where: str) -> Standing:
        asked.append(where)
        return Standing(Quota.USER, 6_900_000, 10_000_000, 1_796_083_200.0)

    publisher.tightest_budget = tightest
    session = await in_thread(slack, publisher, generating())
    call = PaidCall(1, "run", CallState.MEASURED, 13_000, priced=True)
    paid = replace(session.latest.candidate(1), calls=(call,))
    held = Reservation("U1", "2026-11-28", "2026-11", 20_000, priced=True)
    session = with_latest(session, reserved=held, candidates=(paid,))
    session = await posted(publisher, await uploaded(publisher, session))
    draft = slack.message("general", session.latest.message_ts)
    assert "$0.013 · $3.10 of $10 left in November" in str(draft.blocks)
    assert asked == [(session.team, session.channel, "U1")]
