"""What `SlackPublisher` shows for a while and takes away again: previews, and drafts that slipped
through a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from bot.adapters.slack import SlackPublisher, message_poster, previews, web_api
from bot.domain.errors import ImageNotReady, SlackBusy, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.sandbox import Fault, Message, SimulatedSlack
from bot.views.blocks import marker
from tests.fakes import eventually, generating
from tests.support.published import (
    IMAGE,
    in_thread,
    posted,
    publisher_for,
    reviewed,
    with_file,
)
from tests.support.samples import png

PARTIAL = png(3, 3)
BLIND = {"chat:write", "commands", "files:write"}
"""The scopes without which nothing can be looked up."""
KEPT_WAIT = web_api._wait


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are a tenth of what they are; those for a call in flight are long enough
    for any machine."""
    monkeypatch.setattr(web_api, "_wait", lambda state: KEPT_WAIT(state) / 10)
    monkeypatch.setattr(message_poster, "FINISH_WITHIN", 30.0)


@pytest.fixture
async def publisher(slack: SimulatedSlack) -> AsyncIterator[SlackPublisher]:
    async with publisher_for(slack) as made:
        yield made


@pytest.fixture
async def session(slack: SimulatedSlack, publisher: SlackPublisher) -> Session:
    """One whose image is being made."""
    return await in_thread(slack, publisher, generating())


def replies(slack: SimulatedSlack, session: Session) -> list[Message]:
    return slack.messages("general", session.thread_ts)


async def cancelled_in_flight(
    slack: SimulatedSlack, work: Awaitable[Any], fault: Fault | None = None
) -> None:
    """Cancel it while `chat.postMessage` is under way: its effect is there, its answer is not."""
    slack.faults.add("chat.postMessage", fault or Fault.late(0.3))
    posts = len(slack.calls_of("chat.postMessage"))
    task = asyncio.ensure_future(work)
    await eventually(lambda: len(slack.calls_of("chat.postMessage")) > posts, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# previews


async def test_a_preview_stands_in_the_thread_until_it_is_taken_away(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    ts = await publisher.post_preview(session, 1, PARTIAL)
    (preview,) = replies(slack, session)
    assert (preview.ts, preview.shown_images(), preview.buttons()) == (ts, [PARTIAL], [])
    (file_id,) = preview.image_ids()
    await publisher.remove_preview(session, 1, ts)
    assert replies(slack, session) == []
    assert slack.workspace.files.get(file_id) is None
    assert slack.violations == []


async def test_a_newer_preview_takes_the_place_of_the_older(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    first = await publisher.post_preview(session, 1, IMAGE)
    second = await publisher.post_preview(session, 1, PARTIAL)
    await publisher.remove_preview(session, 1, first)
    assert [m.ts for m in replies(slack, session)] == [second]
    assert replies(slack, session)[0].shown_images() == [PARTIAL]


@pytest.mark.parametrize(
    "method",
    [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
        "chat.postMessage",
    ],
)
async def test_a_preview_never_waits_for_a_busy_slack(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session, method: str
) -> None:
    slack.faults.add(method, Fault.rate_limited(30))
    with pytest.raises(SlackBusy) as busy:
        await publisher.post_preview(session, 1, PARTIAL)
    assert busy.value.retry_after == 30
    assert len(slack.calls_of(method)) == (2 if method == "chat.postMessage" else 1)
    assert replies(slack, session) == []


async def test_a_preview_waits_a_moment_for_its_file(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    slack.workspace.files.ready_after = 0.3
    await publisher.post_preview(session, 1, PARTIAL)
    (preview,) = replies(slack, session)
    assert preview.shown_images() == [PARTIAL]


async def test_a_preview_does_not_wait_long_for_its_file(
    slack: SimulatedSlack,
    publisher: SlackPublisher,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(previews, "READY_WITHIN", 0.2)
    slack.workspace.files.ready_after = 60
    with pytest.raises(ImageNotReady):
        await publisher.post_preview(session, 1, PARTIAL)
    assert replies(slack, session) == []


async def test_a_preview_whose_answer_was_lost_can_be_taken_away(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    with pytest.raises(SlackUnavailable):
        await publisher.post_preview(session, 1, PARTIAL)
    (preview,) = replies(slack, session)
    (file_id,) = preview.image_ids()
    await publisher.remove_preview(session, 1, "")
    assert replies(slack, session) == []
    assert slack.workspace.files.get(file_id) is None


async def test_another_process_takes_a_preview_away(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    ts = await publisher.post_preview(session, 1, PARTIAL)
    async with publisher_for(slack) as other:
        await other.remove_preview(session, 1, ts)
    assert replies(slack, session) == []


async def test_a_file_that_cannot_be_deleted_does_not_matter(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    ts = await publisher.post_preview(session, 1, PARTIAL)
    slack.faults.add("files.delete", Fault.rate_limited(30))
    await publisher.remove_preview(session, 1, ts)
    assert replies(slack, session) == []
    assert len(slack.calls_of("files.delete")) == 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_preview_that_is_gone_is_as_good_as_taken_away(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session, known: bool
) -> None:
    ts = await publisher.post_preview(session, 1, PARTIAL)
    slack.workspace.delete(slack.message("general", ts))
    await publisher.remove_preview(session, 1, ts if known else "")


async def test_a_preview_is_taken_away_whatever_happens(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    ts = await publisher.post_preview(session, 1, PARTIAL)
    for fault in (Fault.rate_limited(1), Fault.http(503), Fault.lost_answer()):
        slack.faults.add("chat.delete", fault)
    await publisher.remove_preview(session, 1, ts)
    assert replies(slack, session) == []


async def test_a_preview_in_flight_when_its_attempt_is_cancelled_can_be_taken_away(
    slack: SimulatedSlack, publisher: SlackPublisher, session: Session
) -> None:
    slack.workspace.scopes = BLIND
    await cancelled_in_flight(slack, publisher.post_preview(session, 1, PARTIAL))
    (preview,) = replies(slack, session)
    await publisher.remove_preview(session, 1, "")
    assert replies(slack, session) == []
    assert slack.workspace.files.get(preview.image_ids()[0]) is None


# drafts that slipped through


async def test_a_draft_in_flight_is_there_before_the_cancellation_goes_on(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    await cancelled_in_flight(slack, publisher.post_draft(session, 1, repeated=False))
    answered = slack.calls_of("chat.postMessage")[-1]
    assert (answered.ok, answered.status) == (True, 200)
    assert len(replies(slack, session)) == 1


async def test_a_cancellation_does_not_wait_long_for_a_slack_that_hangs(
    slack: SimulatedSlack, publisher: SlackPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_poster, "FINISH_WITHIN", 0.1)
    session = await with_file(slack, publisher)
    async with asyncio.timeout(10):
        post = publisher.post_draft(session, 1, repeated=False)
        await cancelled_in_flight(slack, post, Fault.hang())
    assert replies(slack, session) == []


@pytest.mark.parametrize("scopes", [None, BLIND])
async def test_a_draft_that_slipped_through_is_taken_away(
    slack: SimulatedSlack, publisher: SlackPublisher, scopes: set[str] | None
) -> None:
    session = await with_file(slack, publisher)
    slack.workspace.scopes = scopes
    await cancelled_in_flight(slack, publisher.post_draft(session, 1, repeated=False))
    await publisher.remove_draft(session, 1)
    assert replies(slack, session) == []
    assert slack.violations == []


async def test_another_process_finds_a_draft_that_slipped_through(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    await publisher.post_draft(session, 1, repeated=False)
    async with publisher_for(slack) as other:
        await other.remove_draft(session, 1)
    assert replies(slack, session) == []


async def test_a_draft_whose_message_is_known_is_taken_away_without_looking(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await reviewed(slack, publisher)
    await publisher.remove_draft(session, 1)
    await publisher.remove_draft(session, 1)
    assert replies(slack, session) == []
    assert slack.calls_of("conversations.replies") == []


async def test_no_other_message_is_taken_away(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await reviewed(slack, publisher)
    failure = await publisher.post_failure(session, 1, "w", try_again=True, repeated=False)
    await slack.say("bob", "general", "nice", session.thread_ts)
    await publisher.remove_draft(generating(2, **places(session)), 2)
    await publisher.remove_preview(session, 1, "")
    kept = [m.ts for m in replies(slack, session)]
    assert kept[:2] == [session.latest.message_ts, failure]
    assert len(kept) == 3


def places(session: Session) -> dict[str, Any]:
    names = ("id", "team", "user", "channel", "root_ts", "thread_ts", "created_at")
    return {name: getattr(session, name) for name in names}


async def test_while_slack_cannot_say_nobody_takes_a_draft_for_gone(
    slack: SimulatedSlack, publisher: SlackPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.slack.message_search.PATIENCE", 0.3)
    session = await with_file(slack, publisher)
    slack.faults.add("conversations.replies", Fault.http(503), times=100)
    with pytest.raises(SlackUnavailable):
        await publisher.remove_draft(session, 1)


async def test_a_message_that_may_not_be_deleted_says_so(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await reviewed(slack, publisher)
    slack.faults.add("chat.delete", Fault(error="cant_delete_message"))
    with pytest.raises(SlackRefused):
        await publisher.remove_draft(session, 1)


async def test_a_repeated_post_knows_what_slipped_through_without_looking(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = await with_file(slack, publisher)
    slack.workspace.scopes = BLIND
    await cancelled_in_flight(slack, publisher.post_draft(session, 1, repeated=False))
    (draft,) = replies(slack, session)
    assert await publisher.post_draft(session, 1, repeated=True) == draft.ts
    assert draft.blocks[0]["block_id"] == marker(session, "draft", 1)
    assert len(replies(slack, await posted(publisher, session))) == 2
