"""What a person can decide, judged on the server and kept by compare-and-set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.direction import Direction
from bot.domain.attempt import ImageRef
from bot.domain.errors import Reason, Refusal, StoreUnavailable
from bot.domain.jobs import Job, JobKind
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.person import Person
from bot.domain.policy import Policy
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.steps import draft_posted
from tests.fakes import (
    BOSS,
    BYSTANDER,
    ID,
    PROMPT,
    STRANGER,
    a_session,
    generating,
    with_latest,
)
from tests.unit.direction.desk import Desk, in_thread, refused

FIRST, SECOND = ImageRef(1), ImageRef(2)
Act = Callable[[Direction, Person], Awaitable[object]]
FEEDBACK = Stage.USER_FEEDBACK
ACTS: dict[str, tuple[Stage, Act]] = {
    "submit": (Stage.INITIAL_INPUT, lambda d, who: d.submit(ID, who, PROMPT, NO_OPTIONS)),
    "approve": (FEEDBACK, lambda d, who: d.approve(ID, FIRST, who)),
    "use_earlier": (FEEDBACK, lambda d, who: d.use_earlier(ID, FIRST, who)),
    "regenerate": (FEEDBACK, lambda d, who: d.regenerate(ID, FIRST, who)),
    "try_again": (FEEDBACK, lambda d, who: d.try_again(ID, FIRST, who)),
    "refine": (FEEDBACK, lambda d, who: d.refine(ID, FIRST, who, "night")),
    "edit": (FEEDBACK, lambda d, who: d.edit(ID, 1, who, "a cat", NO_OPTIONS)),
    "cancel": (Stage.GENERATING, lambda d, who: d.cancel(ID, FIRST, who)),
    "may_refine": (FEEDBACK, lambda d, who: d.may_refine(ID, FIRST, who)),
    "may_edit": (FEEDBACK, lambda d, who: d.may_edit(ID, 1, who)),
    "may_start_over": (Stage.FINAL, lambda d, who: d.may_start_over(ID, who)),
}
IN_THREAD: dict[str, tuple[Stage, Act]] = {
    "said": (FEEDBACK, lambda d, who: d.said_in_thread(in_thread(person=who), "night")),
    "cancelled": (Stage.GENERATING, lambda d, who: d.cancel_in_thread(in_thread(person=who))),
}


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_a_stranger_changes_nothing(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    desk = Desk(a_session(stage))
    assert await refused(act(desk.direction, BYSTANDER)) is Reason.NOT_ALLOWED
    assert desk.store.written == []


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_whom_the_policy_names_may_what_the_owner_may(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    desk = Desk(a_session(stage), policy=Policy(others=frozenset({STRANGER})))
    await act(desk.direction, BYSTANDER)


@pytest.mark.parametrize("name", list(ACTS))
async def test_a_session_that_is_gone_has_expired(name: str) -> None:
    assert await refused(ACTS[name][1](Desk().direction, BOSS)) is Reason.EXPIRED


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_what_cannot_be_kept_is_not_said_to_be(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    desk = Desk(a_session(stage))
    desk.store.away = True
    with pytest.raises(StoreUnavailable):
        await act(desk.direction, BOSS)


@pytest.mark.parametrize("name", ["may_refine", "may_edit", "may_start_over"])
async def test_asking_whether_changes_nothing(name: str) -> None:
    stage, act = ACTS[name]
    desk = Desk(a_session(stage))
    await act(desk.direction, BOSS)
    assert desk.store.written == []


async def test_approving_twice_from_two_people_at_once_counts_once() -> None:
    desk = Desk(a_session(), policy=Policy(anyone=True))
    outcomes = await asyncio.gather(
        *(desk.direction.approve(ID, FIRST, who) for who in (BOSS, BYSTANDER) * 5),
        return_exceptions=True,
    )
    approved = [o for o in outcomes if isinstance(o, Session)]
    assert len(approved) == 1
    reasons = {o.reason for o in outcomes if isinstance(o, Refusal)}
    assert reasons == {Reason.ALREADY_APPROVED}
    assert desk.session.approved_by == approved[0].approved_by
    assert len(desk.store.written) == 1


async def test_of_everything_at_once_one_moves_the_stage() -> None:
    desk = Desk(a_session(attempts=2))
    direction = desk.direction
    outcomes = await asyncio.gather(
        direction.regenerate(ID, SECOND, BOSS),
        direction.use_earlier(ID, FIRST, BOSS),
        direction.refine(ID, SECOND, BOSS, "night", "V1"),
        direction.approve(ID, SECOND, BOSS),
        direction.use_earlier(ID, FIRST, BOSS),
        direction.said_in_thread(in_thread(), "day"),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Session) for outcome in outcomes) == 1
    assert len(desk.store.written) == 1
    assert len(desk.session.attempts) <= 3


async def test_using_an_earlier_draft_twice_counts_once() -> None:
    desk = Desk(a_session(attempts=3))
    await desk.direction.use_earlier(ID, FIRST, BOSS)
    again = desk.direction.use_earlier(ID, SECOND, BOSS)
    assert await refused(again) is Reason.ALREADY_APPROVED
    assert desk.session.final_image == FIRST


async def test_a_form_that_refines_counts_once_even_after_its_attempt_has_ended() -> None:
    desk = Desk(a_session())
    await desk.direction.refine(ID, FIRST, BOSS, "night --n 2", "V1")
    assert desk.session.latest.options.count == 2
    ended = draft_posted(
        with_latest(desk.session, candidates=a_session().latest.candidates), 2, "2.5", 1.0
    )
    desk.store.sessions[ID] = ended
    assert await desk.direction.refine(ID, FIRST, BOSS, "night --n 2", "V1") == ended


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  ", Reason.EMPTY_CHANGE),
        ("--n 2", Reason.EMPTY_CHANGE),
        ("x" * 32_001, Reason.PROMPT_TOO_LONG),
        ("night --n 9", Reason.BAD_OPTION),
    ],
)
async def test_a_change_that_will_not_do_changes_nothing(text: str, reason: Reason) -> None:
    desk = Desk(a_session())
    assert await refused(desk.direction.refine(ID, FIRST, BOSS, text)) is reason
    assert desk.store.written == []


async def test_editing_begins_afresh_with_what_was_typed_and_chosen() -> None:
    desk = Desk(a_session())
    form = Options("1024x1536", count=2)
    await desk.direction.edit(ID, 1, BOSS, "a cat --n 3", form, "V1")
    latest = desk.session.latest
    assert (latest.prompt, latest.base) == ("a cat", None)
    assert latest.options == Options("1024x1536", count=3)


async def test_a_click_that_is_faster_than_the_record_of_its_message_waits_for_it() -> None:
    desk = Desk(generating())
    click = asyncio.create_task(desk.direction.approve(ID, FIRST, BOSS))
    await asyncio.sleep(0.02)
    assert not click.done()
    desk.store.sessions[ID] = a_session(version=2)
    assert (await click).stage is Stage.FINAL


async def test_a_click_while_the_image_is_made_is_told_so_in_time() -> None:
    for session in (generating(), generating(2)):
        desk = Desk(session)
        assert await refused(desk.direction.approve(ID, FIRST, BOSS)) is Reason.STILL_WORKING


async def test_the_owed_job_is_queued_and_none_where_none_is_owed() -> None:
    desk = Desk()
    for session in (generating(), generating(), a_session(), a_session(Stage.INITIAL_INPUT)):
        await desk.direction.queue_owed(session)
    assert desk.queue.added == [Job(JobKind.ANNOUNCE, ID, 1)]
    await desk.direction.queue_owed(a_session(Stage.FINAL))
    assert desk.queue.added[1:] == [Job(JobKind.PUBLISH, ID, 1)]
    assert desk.cancellations.sent == []


async def test_a_queue_that_is_away_is_left_to_the_sweeper() -> None:
    desk = Desk(generating())
    desk.queue.away = True
    await desk.direction.queue_owed(generating())
    await desk.direction.queue_owed(await desk.direction.cancel(ID, FIRST, BOSS))
    assert desk.queue.added == []
    assert desk.cancellations.sent == [ID]  # whoever works on it hears of it all the same


async def test_words_in_a_thread_refine_the_newest_draft_even_if_it_came_just_now() -> None:
    """What was said while the draft was being recorded is about that draft."""
    desk = Desk(generating())
    said = asyncio.create_task(desk.direction.said_in_thread(in_thread(), "make it night"))
    await asyncio.sleep(0.02)
    assert not said.done()
    desk.store.sessions[ID] = a_session(version=2)
    assert await said is not None
    assert (desk.session.latest.change, desk.session.latest.base) == ("make it night", FIRST)


async def test_words_that_started_a_session_in_a_thread_are_no_change_to_it() -> None:
    """The event came again."""
    desk = Desk()
    place = in_thread("4.4")
    assert await desk.direction.said_in_thread(place, "a fox") is None
    started = await desk.direction.start(place, "a fox")
    assert await desk.direction.said_in_thread(place, "a fox") == started
    assert len(desk.store.written) == 1


async def test_words_in_a_thread_delivered_again_count_once() -> None:
    desk = Desk(a_session())
    outcomes = await asyncio.gather(
        *(desk.direction.said_in_thread(in_thread(), "night") for _ in "abc")
    )
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert len(desk.store.written) == 1


async def test_words_in_a_thread_have_options_of_their_own() -> None:
    desk = Desk(a_session(), qualities=("low",))
    refusal = desk.direction.said_in_thread(in_thread(), "night --quality high")
    assert await refused(refusal) is Reason.BAD_OPTION
    await desk.direction.said_in_thread(in_thread(), "night --quality low")
    assert desk.session.latest.options == Options(quality="low")


async def test_a_thread_in_another_channel_is_another_thread() -> None:
    desk = Desk(a_session())
    place = replace(in_thread(), channel="C2")
    assert await desk.direction.said_in_thread(place, "night") is None
    assert await desk.direction.cancel_in_thread(place) is None
