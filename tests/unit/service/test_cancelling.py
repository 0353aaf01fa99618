"""Stopping what is under way: which one, once, and wherever it is."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.person import Person
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.steps import draft_posted
from bot.domain.work import Job, JobKind
from bot.service import RequestOrigin
from tests.fakes import BOSS, BYSTANDER, CHANNEL, ID, OWNER, a_session, generating, with_latest
from tests.unit.service.services import Setup, in_thread, refused

_seeds = itertools.count()
OTHER, THIRD = f"T1.{OWNER}.bbbb", f"T1.{OWNER}.cccc"


def asking(person: Person = BOSS) -> RequestOrigin:
    """Another request each time."""
    return RequestOrigin("T1", person, CHANNEL, "", f"trigger.{next(_seeds)}")


def queued_at(session: Session, seconds: float) -> Session:
    return with_latest(session, queued_at=seconds)


async def test_a_cancelled_first_attempt_leaves_the_prompt_to_try_again() -> None:
    setup = Setup(generating())
    session = await setup.decisions.cancel(ID, ImageRef(1), BOSS)
    assert session.stage is Stage.INITIAL_INPUT
    assert session.latest.failure is FailureKind.CANCELLED
    again = await setup.gateway.try_again(ID, ImageRef(1), BOSS)
    assert (again.stage, again.latest.number, again.error_message) == (Stage.GENERATING, 2, "")


async def test_a_cancelled_later_attempt_leaves_the_draft_before_it() -> None:
    setup = Setup(generating(2))
    session = await setup.decisions.cancel(ID, ImageRef(2), BOSS)
    assert session.stage is Stage.USER_FEEDBACK
    approved = await setup.decisions.approve(ID, ImageRef(1), BOSS)
    assert approved.final_image == ImageRef(1)


async def test_whoever_has_the_attempt_is_told_and_its_waiting_jobs_are_taken_back() -> None:
    setup = Setup(generating())
    for kind in (JobKind.ANNOUNCE, JobKind.GENERATE):
        await setup.queue.add(Job(kind, ID, 1))
    await setup.jobs.queue_owed(await setup.decisions.cancel(ID, ImageRef(1), BOSS))
    assert setup.cancellations.sent == [ID]
    assert list(setup.queue.states) == [Job(JobKind.SETTLE, ID, 1).id]


async def test_of_a_cancel_and_the_draft_at_once_the_first_counts() -> None:
    for cancel_first in (True, False):
        session = with_latest(generating(), candidates=a_session().latest.candidates)
        setup = Setup(session)
        cancel = setup.decisions.cancel(ID, ImageRef(1), BOSS)
        post = setup.store.update(ID, lambda s: draft_posted(s, 1, "1.5", 1.0))
        pair = (cancel, post) if cancel_first else (post, cancel)
        outcomes = await asyncio.gather(*pair, return_exceptions=True)
        assert sorted(isinstance(outcome, Session) for outcome in outcomes) == [False, True]
        assert len(setup.store.written) == 1
        cancelled = setup.session.latest.cancelled
        assert cancelled == (setup.session.stage is Stage.INITIAL_INPUT)
        assert bool(setup.session.latest.message_ts) is not cancelled


async def test_a_double_click_cancels_once() -> None:
    setup = Setup(generating())
    outcomes = await asyncio.gather(
        *(setup.decisions.cancel(ID, ImageRef(1), BOSS) for _ in "ab"),
        return_exceptions=True,
    )
    (refusal,) = [o for o in outcomes if isinstance(o, Refusal)]
    assert refusal.reason is Reason.NOTHING_TO_CANCEL
    assert len(setup.store.written) == 1


async def test_a_stale_cancel_does_not_stop_the_attempt_after_it() -> None:
    setup = Setup(generating(2))
    late = setup.decisions.cancel(ID, ImageRef(1), BOSS)
    assert await refused(late) is Reason.MOVED_ON
    assert setup.session.stage is Stage.GENERATING


async def test_the_newest_of_this_channel_is_cancelled_first() -> None:
    here = queued_at(generating(), 10.0)
    newer_here = queued_at(replace(generating(), id=OTHER), 20.0)
    elsewhere = queued_at(replace(generating(), id=THIRD, channel="C2"), 30.0)
    setup = Setup(here, newer_here, elsewhere, a_session(id="T1.U1.dddd"))
    cancelled = []
    for others in (2, 1, 0):
        session, go_on = await setup.decisions.cancel_newest(asking())
        assert go_on == others
        cancelled.append(session.id)
    assert cancelled == [OTHER, ID, THIRD]
    late = setup.decisions.cancel_newest(asking())
    assert await refused(late) is Reason.NOTHING_TO_CANCEL


async def test_nobody_cancels_what_is_anothers_by_asking_for_the_newest() -> None:
    setup = Setup(generating())
    asked = setup.decisions.cancel_newest(asking(BYSTANDER))
    assert await refused(asked) is Reason.NOTHING_TO_CANCEL


@pytest.mark.parametrize("stage", [Stage.INITIAL_INPUT, Stage.USER_FEEDBACK, Stage.FINAL])
async def test_in_a_thread_where_nothing_is_under_way_nothing_is_cancelled(stage: Stage) -> None:
    setup = Setup(a_session(stage, thread_ts="1.0"))
    asked = setup.replies.cancel(in_thread())
    assert await refused(asked) is Reason.NOTHING_TO_CANCEL
    assert setup.store.written == []


async def test_the_same_request_twice_cancels_one() -> None:
    setup = Setup(queued_at(generating(), 10.0), queued_at(replace(generating(), id=OTHER), 20.0))
    origin = asking()
    first = await setup.decisions.cancel_newest(origin)
    again = await setup.decisions.cancel_newest(origin)
    assert [session.id for session, _ in (first, again)] == [OTHER, OTHER]
    assert [go_on for _, go_on in (first, again)] == [1, 1]
    assert setup.session.stage is Stage.GENERATING


async def test_the_same_words_in_a_thread_cancel_once() -> None:
    setup = Setup(generating())
    assert await setup.replies.cancel(in_thread())
    stopped = setup.session
    assert await setup.replies.cancel(in_thread()) == stopped


async def test_in_a_thread_of_two_people_each_stops_what_is_theirs() -> None:
    his = replace(generating(), id="T1.U2.eeee", user="U2", root_ts="3.3", created_at=500.0)
    setup = Setup(generating(), his)
    stopped = await setup.replies.cancel(in_thread())
    assert stopped is not None
    assert stopped.id == ID
    assert setup.store.sessions[his.id] == his
