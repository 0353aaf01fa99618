"""What a person decides, kept by compare-and-set: to approve, and to cancel."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.failures import FailureKind
from bot.domain.generation import draft_posted
from bot.domain.jobs import Job, JobKind
from bot.domain.policy import Person, Policy
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.service import RequestOrigin
from tests.fakes import (
    BOSS,
    BYSTANDER,
    CHANNEL,
    ID,
    OWNER,
    a_session,
    generating,
    with_latest,
)
from tests.unit.service.services import Setup, in_thread, refused

FIRST, SECOND = ImageRef(1), ImageRef(2)
_keys = itertools.count()
OTHER, THIRD = f"T1.{OWNER}.bbbb", f"T1.{OWNER}.cccc"


def asking(person: Person = BOSS) -> RequestOrigin:
    """Another request each time."""
    return RequestOrigin("T1", person, CHANNEL, "", f"trigger.{next(_keys)}")


def queued_at(session: Session, seconds: float) -> Session:
    return with_latest(session, queued_at=seconds)


async def test_approving_twice_from_two_people_at_once_counts_once() -> None:
    setup = Setup(a_session(), policy=Policy(anyone=True))
    outcomes = await asyncio.gather(
        *(setup.decisions.approve(ID, FIRST, who) for who in (BOSS, BYSTANDER) * 5),
        return_exceptions=True,
    )
    approved = [o for o in outcomes if isinstance(o, Session)]
    assert len(approved) == 1
    reasons = {o.reason for o in outcomes if isinstance(o, Refusal)}
    assert reasons == {Reason.ALREADY_APPROVED}
    assert setup.session.approved_by == approved[0].approved_by
    assert len(setup.store.written) == 1


async def test_of_everything_at_once_one_moves_the_stage() -> None:
    setup = Setup(a_session(attempts=2))
    services = setup.services
    outcomes = await asyncio.gather(
        services.gateway.regenerate(ID, SECOND, BOSS),
        services.decisions.use_earlier(ID, FIRST, BOSS),
        services.gateway.refine(ID, SECOND, BOSS, "night", "V1"),
        services.decisions.approve(ID, SECOND, BOSS),
        services.decisions.use_earlier(ID, FIRST, BOSS),
        services.replies.apply_reply(in_thread(), "day"),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Session) for outcome in outcomes) == 1
    assert len(setup.store.written) == 1
    assert len(setup.session.attempts) <= 3


async def test_using_an_earlier_draft_twice_counts_once() -> None:
    setup = Setup(a_session(attempts=3))
    await setup.decisions.use_earlier(ID, FIRST, BOSS)
    again = setup.decisions.use_earlier(ID, SECOND, BOSS)
    assert await refused(again) is Reason.ALREADY_APPROVED
    assert setup.session.final_image == FIRST


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


async def test_the_same_request_twice_cancels_one() -> None:
    setup = Setup(queued_at(generating(), 10.0), queued_at(replace(generating(), id=OTHER), 20.0))
    origin = asking()
    first = await setup.decisions.cancel_newest(origin)
    again = await setup.decisions.cancel_newest(origin)
    assert [session.id for session, _ in (first, again)] == [OTHER, OTHER]
    assert [go_on for _, go_on in (first, again)] == [1, 1]
    assert setup.session.stage is Stage.GENERATING


FIRST = ImageRef(1)


async def test_the_owed_job_is_queued_and_none_where_none_is_owed() -> None:
    setup = Setup()
    queued = with_latest(generating(), announced=False)
    for session in (queued, queued, a_session(), a_session(Stage.INITIAL_INPUT)):
        await setup.jobs.queue_due(session)
    assert setup.queue.added == [Job(JobKind.ANNOUNCE, ID, 1)]
    await setup.jobs.queue_due(a_session(Stage.FINAL))
    assert setup.queue.added[1:] == [Job(JobKind.PUBLISH, ID, 1)]
    assert setup.cancellations.sent == []


async def test_a_queue_that_is_away_is_left_to_the_sweeper() -> None:
    setup = Setup(generating())
    setup.queue.away = True
    await setup.jobs.queue_due(generating())
    await setup.jobs.queue_due(await setup.decisions.cancel(ID, FIRST, BOSS))
    assert setup.queue.added == []
    assert setup.cancellations.sent == [ID]  # whoever works on it hears of it all the same


async def test_whoever_has_the_attempt_is_told_and_its_waiting_jobs_are_taken_back() -> None:
    candidates = (Candidate(1), Candidate(2, requeues=1))
    setup = Setup(with_latest(generating(), candidates=candidates))
    await setup.queue.add(Job(JobKind.ANNOUNCE, ID, 1))
    for candidate in candidates:
        job = Job(JobKind.GENERATE, ID, 1, candidate.requeues, candidate=candidate.number)
        await setup.queue.add(job)
    await setup.jobs.queue_due(await setup.decisions.cancel(ID, ImageRef(1), BOSS))
    assert setup.cancellations.sent == [ID]
    assert list(setup.queue.states) == [Job(JobKind.SHOW_CANCELLED, ID, 1).id]
