"""The look for a message whose answer was lost, in places where much is said."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.adapters.slack import SlackPublisher, web_api
from bot.domain.generation import draft_posted
from bot.domain.session import Session
from bot.sandbox import Fault, SimulatedSlack
from tests.fakes import generating, with_latest
from tests.support.published import approved, in_thread, place, publisher_for, with_file

KEPT_WAIT = web_api._wait


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_api, "_wait", lambda state: KEPT_WAIT(state) / 100)


@pytest.fixture
async def publisher(slack: SimulatedSlack) -> AsyncIterator[SlackPublisher]:
    async with publisher_for(slack) as made:
        yield made


def began_long_ago(session: Session) -> Session:
    return replace(session, created_at=time.time() - 8 * 3600.0)


def talk(slack: SimulatedSlack, session: Session, times: int, ago: float = 0.0) -> None:
    """People say so much in the session's thread, or without one in its channel."""
    bob = slack.user("bob").id
    for number in range(times):
        message = slack.workspace.post(
            session.channel, bob, f"{number}", [], thread_ts=session.thread_ts or None
        )
        if ago:
            message.ts = f"{time.time() - ago + number / 1e4:.6f}"


def ours(slack: SimulatedSlack, thread_ts: str | None = None) -> list[str]:
    mine = [m for m in slack.workspace.log if m.user == slack.bot_user_id]
    return [m.ts for m in mine if m.thread_ts == thread_ts or thread_ts is None]


@pytest.mark.parametrize("replies", [0, 99, 600, 1100])
async def test_a_draft_is_found_after_so_many_replies(
    slack: SimulatedSlack, publisher: SlackPublisher, replies: int
) -> None:
    session = began_long_ago(await with_file(slack, publisher))
    session = with_latest(session, generated_at=time.time())
    talk(slack, session, replies, ago=3600.0)
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    await publisher.post_draft(session, 1, repeated=False)
    assert len(ours(slack)) == 2


@pytest.mark.parametrize("replies", [0, 600])
async def test_a_draft_that_another_run_posted_is_found_after_so_many_replies(
    slack: SimulatedSlack, publisher: SlackPublisher, replies: int
) -> None:
    session = began_long_ago(await with_file(slack, publisher))
    talk(slack, session, replies, ago=3600.0)
    session = with_latest(session, generated_at=time.time())
    first = await publisher.post_draft(session, 1, repeated=False)
    talk(slack, session, 150)
    assert await publisher.post_draft(session, 1, repeated=True) == first


async def test_a_final_is_found_by_the_time_of_its_approval(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = began_long_ago(await approved(slack, publisher))
    talk(slack, session, 700, ago=7200.0)
    first = await publisher.post_final(session, repeated=False)
    assert await publisher.post_final(session, repeated=True) == first


@pytest.mark.parametrize("since", [0, 250, 1500])
async def test_a_root_is_found_in_a_channel_where_so_much_was_said_since(
    slack: SimulatedSlack, publisher: SlackPublisher, since: int
) -> None:
    """It was tried long ago for the first time, and posted at the last try."""
    session = began_long_ago(place(slack, generating(root_ts="", thread_ts="")))
    session = with_latest(session, queued_at=time.time() - 1800.0)
    talk(slack, session, since, ago=1500.0)
    first = await publisher.post_root(session, 0, repeated=False)
    talk(slack, session, 20)
    assert await publisher.post_root(session, 0, repeated=True) == first


async def test_a_thread_that_is_full_since_the_first_try_is_read_from_its_newest_side_too(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = began_long_ago(await with_file(slack, publisher))
    session = with_latest(session, generated_at=time.time() - 3600.0)
    talk(slack, session, 1500, ago=3000.0)
    first = await publisher.post_draft(session, 1, repeated=False)
    assert await publisher.post_draft(session, 1, repeated=True) == first


async def test_few_calls_find_a_message_that_was_tried_just_now(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = began_long_ago(await in_thread(slack, publisher, generating()))
    talk(slack, session, 800, ago=3600.0)
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    await publisher.post_failure(
        replace(session, updated_at=time.time()), 1, "words", try_again=True, repeated=False
    )
    assert len(slack.calls_of("conversations.replies")) == 1


async def test_a_slack_that_gives_few_messages_at_a_time_is_asked_for_more(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    slack.workspace.most_per_page = 15
    session = began_long_ago(place(slack, generating(root_ts="", thread_ts="")))
    session = with_latest(session, queued_at=time.time())
    talk(slack, session, 40)
    first = await publisher.post_root(session, 0, repeated=False)
    assert await publisher.post_root(session, 0, repeated=True) == first


async def test_an_earlier_failure_message_is_not_taken_for_the_new_one(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    """An image that Slack refused twice is told of twice."""
    session = began_long_ago(await in_thread(slack, publisher, generating()))
    first = await publisher.post_failure(session, 1, "once", try_again=True, repeated=False)
    message = slack.message("general", first)
    message.ts = f"{time.time() - 90:.6f}"
    again = replace(session, updated_at=time.time())
    second = await publisher.post_failure(again, 1, "twice", try_again=True, repeated=True)
    assert second != first


async def test_a_clock_that_is_a_little_ahead_finds_it(
    slack: SimulatedSlack, publisher: SlackPublisher
) -> None:
    session = began_long_ago(await with_file(slack, publisher))
    first = await publisher.post_draft(session, 1, repeated=False)
    ahead = with_latest(session, generated_at=time.time() + 50.0)
    assert await publisher.post_draft(ahead, 1, repeated=True) == first
    recorded = draft_posted(session, 1, first, time.time())
    await publisher.remove_draft(recorded, 1)
    assert slack.messages("general", session.thread_ts) == []


@pytest.mark.parametrize("said", [0, 1100])
@pytest.mark.parametrize("ahead", [-300.0, 300.0])
async def test_a_root_is_found_where_slacks_clock_is_not_ours(
    slack: SimulatedSlack, publisher: SlackPublisher, ahead: float, said: int
) -> None:
    """Slack takes signed requests while the clocks are no further apart."""
    slack.clock.advance(ahead)
    session = place(slack, with_latest(generating(), queued_at=time.time()))
    session = replace(session, root_ts="", thread_ts="")
    talk(slack, session, said)
    slack.faults.add("chat.postMessage", Fault.lost_answer())
    first = await publisher.post_root(session, 0, repeated=False)
    assert await publisher.post_root(session, 0, repeated=True) == first
    assert len(ours(slack)) == 1
