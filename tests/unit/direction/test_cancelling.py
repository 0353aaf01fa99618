"""Stopping what is under way: which one, once, and wherever it is."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from bot.direction import Place
from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.jobs import Job, JobKind
from bot.domain.person import Person
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.steps import draft_posted
from tests.fakes import BOSS, BYSTANDER, CHANNEL, ID, OWNER, a_session, generating, with_latest
from tests.unit.direction.desk import Desk, in_thread, refused

_seeds = itertools.count()
OTHER, THIRD = f"T1.{OWNER}.bbbb", f"T1.{OWNER}.cccc"


def asking(person: Person = BOSS) -> Place:
    """Another request each time."""
    return Place("T1", person, CHANNEL, "", f"trigger.{next(_seeds)}")


def queued_at(session: Session, seconds: float) -> Session:
    return with_latest(session, queued_at=seconds)


async def test_a_cancelled_first_attempt_leaves_the_prompt_to_try_again() -> None:
    desk = Desk(generating())
    session = await desk.direction.cancel(ID, ImageRef(1), BOSS)
    assert session.stage is Stage.INITIAL_INPUT
    assert session.latest.failure is FailureKind.CANCELLED
    again = await desk.direction.try_again(ID, ImageRef(1), BOSS)
    assert (again.stage, again.latest.number, again.error_message) == (Stage.GENERATING, 2, "")


async def test_a_cancelled_later_attempt_leaves_the_draft_before_it() -> None:
    desk = Desk(generating(2))
    session = await desk.direction.cancel(ID, ImageRef(2), BOSS)
    assert session.stage is Stage.USER_FEEDBACK
    approved = await desk.direction.approve(ID, ImageRef(1), BOSS)
    assert approved.final_image == ImageRef(1)


async def test_whoever_has_the_attempt_is_told_and_its_waiting_jobs_are_taken_back() -> None:
    desk = Desk(generating())
    for kind in (JobKind.ANNOUNCE, JobKind.GENERATE):
        await desk.queue.add(Job(kind, ID, 1))
    await desk.direction.queue_owed(await desk.direction.cancel(ID, ImageRef(1), BOSS))
    assert desk.cancellations.sent == [ID]
    assert list(desk.queue.states) == [Job(JobKind.SHOW_CANCELLED, ID, 1).id]


async def test_of_a_cancel_and_the_draft_at_once_the_first_counts() -> None:
    for cancel_first in (True, False):
        session = with_latest(generating(), candidates=a_session().latest.candidates)
        desk = Desk(session)
        cancel = desk.direction.cancel(ID, ImageRef(1), BOSS)
        post = desk.store.update(ID, lambda s: draft_posted(s, 1, "1.5", 1.0))
        pair = (cancel, post) if cancel_first else (post, cancel)
        outcomes = await asyncio.gather(*pair, return_exceptions=True)
        assert sorted(isinstance(outcome, Session) for outcome in outcomes) == [False, True]
        assert len(desk.store.written) == 1
        cancelled = desk.session.latest.cancelled
        assert cancelled == (desk.session.stage is Stage.INITIAL_INPUT)
        assert bool(desk.session.latest.message_ts) is not cancelled


async def test_a_double_click_cancels_once() -> None:
    desk = Desk(generating())
    outcomes = await asyncio.gather(
        *(desk.direction.cancel(ID, ImageRef(1), BOSS) for _ in "ab"), return_exceptions=True
    )
    (refusal,) = [o for o in outcomes if isinstance(o, Refusal)]
    assert refusal.reason is Reason.NOTHING_TO_CANCEL
    assert len(desk.store.written) == 1


async def test_a_stale_cancel_does_not_stop_the_attempt_after_it() -> None:
    desk = Desk(generating(2))
    late = desk.direction.cancel(ID, ImageRef(1), BOSS)
    assert await refused(late) is Reason.MOVED_ON
    assert desk.session.stage is Stage.GENERATING


async def test_the_newest_of_this_channel_is_cancelled_first() -> None:
    here = queued_at(generating(), 10.0)
    newer_here = queued_at(replace(generating(), id=OTHER), 20.0)
    elsewhere = queued_at(replace(generating(), id=THIRD, channel="C2"), 30.0)
    desk = Desk(here, newer_here, elsewhere, a_session(id="T1.U1.dddd"))
    cancelled = []
    for others in (2, 1, 0):
        session, go_on = await desk.direction.cancel_newest(asking())
        assert go_on == others
        cancelled.append(session.id)
    assert cancelled == [OTHER, ID, THIRD]
    late = desk.direction.cancel_newest(asking())
    assert await refused(late) is Reason.NOTHING_TO_CANCEL


async def test_nobody_cancels_what_is_anothers_by_asking_for_the_newest() -> None:
    desk = Desk(generating())
    asked = desk.direction.cancel_newest(asking(BYSTANDER))
    assert await refused(asked) is Reason.NOTHING_TO_CANCEL


@pytest.mark.parametrize("stage", [Stage.INITIAL_INPUT, Stage.USER_FEEDBACK, Stage.FINAL])
async def test_in_a_thread_where_nothing_is_under_way_nothing_is_cancelled(stage: Stage) -> None:
    desk = Desk(a_session(stage, thread_ts="1.0"))
    asked = desk.direction.cancel_in_thread(in_thread())
    assert await refused(asked) is Reason.NOTHING_TO_CANCEL
    assert desk.store.written == []


async def test_the_same_request_twice_cancels_one() -> None:
    desk = Desk(queued_at(generating(), 10.0), queued_at(replace(generating(), id=OTHER), 20.0))
    place = asking()
    first = await desk.direction.cancel_newest(place)
    again = await desk.direction.cancel_newest(place)
    assert [session.id for session, _ in (first, again)] == [OTHER, OTHER]
    assert [go_on for _, go_on in (first, again)] == [1, 1]
    assert desk.session.stage is Stage.GENERATING


async def test_the_same_words_in_a_thread_cancel_once() -> None:
    desk = Desk(generating())
    assert await desk.direction.cancel_in_thread(in_thread())
    stopped = desk.session
    assert await desk.direction.cancel_in_thread(in_thread()) == stopped


async def test_in_a_thread_of_two_people_each_stops_what_is_theirs() -> None:
    his = replace(generating(), id="T1.U2.eeee", user="U2", root_ts="3.3", created_at=500.0)
    desk = Desk(generating(), his)
    stopped = await desk.direction.cancel_in_thread(in_thread())
    assert stopped is not None
    assert stopped.id == ID
    assert desk.store.sessions[his.id] == his
