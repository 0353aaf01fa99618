"""What a person can decide, judged on the server and kept by compare-and-set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.errors import Reason, Refusal, StoreUnavailable
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.person import Person
from bot.domain.policy import Policy
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.steps import draft_posted
from bot.domain.work import Job, JobKind
from bot.service import Services
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
from tests.unit.service.services import ORIGIN, Setup, in_thread, refused

FIRST, SECOND = ImageRef(1), ImageRef(2)
Act = Callable[[Services, Person], Awaitable[object]]
FEEDBACK = Stage.USER_FEEDBACK
ACTS: dict[str, tuple[Stage, Act]] = {
    "submit": (Stage.INITIAL_INPUT, lambda d, who: d.gateway.submit(ID, who, PROMPT, NO_OPTIONS)),
    "approve": (FEEDBACK, lambda d, who: d.decisions.approve(ID, FIRST, who)),
    "use_earlier": (FEEDBACK, lambda d, who: d.decisions.use_earlier(ID, FIRST, who)),
    "regenerate": (FEEDBACK, lambda d, who: d.gateway.regenerate(ID, FIRST, who)),
    "try_again": (FEEDBACK, lambda d, who: d.gateway.try_again(ID, FIRST, who)),
    "refine": (FEEDBACK, lambda d, who: d.gateway.refine(ID, FIRST, who, "night")),
    "edit": (FEEDBACK, lambda d, who: d.gateway.edit(ID, 1, who, "a cat", NO_OPTIONS)),
    "cancel": (Stage.GENERATING, lambda d, who: d.decisions.cancel(ID, FIRST, who)),
    "check_can_refine": (FEEDBACK, lambda d, who: d.gateway.check_can_refine(ID, FIRST, who)),
    "check_can_edit": (FEEDBACK, lambda d, who: d.gateway.check_can_edit(ID, 1, who)),
    "restart": (
        Stage.FINAL,
        lambda d, who: d.new_sessions.restart(replace(ORIGIN, person=who), ID),
    ),
}
IN_THREAD: dict[str, tuple[Stage, Act]] = {
    "said": (FEEDBACK, lambda d, who: d.replies.apply_reply(in_thread(person=who), "night")),
    "cancelled": (Stage.GENERATING, lambda d, who: d.replies.cancel(in_thread(person=who))),
}


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_a_stranger_changes_nothing(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    setup = Setup(a_session(stage))
    assert await refused(act(setup.services, BYSTANDER)) is Reason.NOT_ALLOWED
    assert setup.store.written == []


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_whom_the_policy_names_may_what_the_owner_may(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    setup = Setup(a_session(stage), policy=Policy(others=frozenset({STRANGER})))
    await act(setup.services, BYSTANDER)


@pytest.mark.parametrize("name", list(ACTS))
async def test_a_session_that_is_gone_has_expired(name: str) -> None:
    assert await refused(ACTS[name][1](Setup().services, BOSS)) is Reason.EXPIRED


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_what_cannot_be_kept_is_not_said_to_be(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    setup = Setup(a_session(stage))
    setup.store.away = True
    with pytest.raises(StoreUnavailable):
        await act(setup.services, BOSS)


@pytest.mark.parametrize("name", ["check_can_refine", "check_can_edit"])
async def test_asking_whether_changes_nothing(name: str) -> None:
    stage, act = ACTS[name]
    setup = Setup(a_session(stage))
    await act(setup.services, BOSS)
    assert setup.store.written == []


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


async def test_a_form_that_refines_counts_once_even_after_its_attempt_has_ended() -> None:
    setup = Setup(a_session())
    await setup.gateway.refine(ID, FIRST, BOSS, "night --n 2", "V1")
    assert setup.session.latest.options.count == 2
    ended = draft_posted(
        with_latest(setup.session, candidates=a_session().latest.candidates), 2, "2.5", 1.0
    )
    setup.store.sessions[ID] = ended
    assert await setup.gateway.refine(ID, FIRST, BOSS, "night --n 2", "V1") == ended


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
    setup = Setup(a_session())
    assert await refused(setup.gateway.refine(ID, FIRST, BOSS, text)) is reason
    assert setup.store.written == []


async def test_editing_begins_afresh_with_what_was_typed_and_chosen() -> None:
    setup = Setup(a_session())
    form = Options("1024x1536", count=2)
    await setup.gateway.edit(ID, 1, BOSS, "a cat --n 3", form, "V1")
    latest = setup.session.latest
    assert (latest.prompt, latest.base) == ("a cat", None)
    assert latest.options == Options("1024x1536", count=3)


async def test_a_click_that_is_faster_than_the_record_of_its_message_waits_for_it() -> None:
    setup = Setup(generating())
    click = asyncio.create_task(setup.decisions.approve(ID, FIRST, BOSS))
    await asyncio.sleep(0.02)
    assert not click.done()
    setup.store.sessions[ID] = a_session(version=2)
    assert (await click).stage is Stage.FINAL


async def test_a_click_while_the_image_is_made_is_told_so_in_time() -> None:
    for session in (generating(), generating(2)):
        setup = Setup(session)
        assert await refused(setup.decisions.approve(ID, FIRST, BOSS)) is Reason.STILL_WORKING


async def test_the_owed_job_is_queued_and_none_where_none_is_owed() -> None:
    setup = Setup()
    for session in (generating(), generating(), a_session(), a_session(Stage.INITIAL_INPUT)):
        await setup.jobs.queue_owed(session)
    assert setup.queue.added == [Job(JobKind.ANNOUNCE, ID, 1)]
    await setup.jobs.queue_owed(a_session(Stage.FINAL))
    assert setup.queue.added[1:] == [Job(JobKind.FINISH, ID, 1)]
    assert setup.cancellations.sent == []


async def test_a_queue_that_is_away_is_left_to_the_sweeper() -> None:
    setup = Setup(generating())
    setup.queue.away = True
    await setup.jobs.queue_owed(generating())
    await setup.jobs.queue_owed(await setup.decisions.cancel(ID, FIRST, BOSS))
    assert setup.queue.added == []
    assert setup.cancellations.sent == [ID]  # whoever works on it hears of it all the same


async def test_words_in_a_thread_refine_the_newest_draft_even_if_it_came_just_now() -> None:
    """What was said while the draft was being recorded is about that draft."""
    setup = Setup(generating())
    said = asyncio.create_task(setup.replies.apply_reply(in_thread(), "make it night"))
    await asyncio.sleep(0.02)
    assert not said.done()
    setup.store.sessions[ID] = a_session(version=2)
    assert await said is not None
    assert (setup.session.latest.change, setup.session.latest.base) == ("make it night", FIRST)


async def test_words_that_started_a_session_in_a_thread_are_no_change_to_it() -> None:
    """The event came again."""
    setup = Setup()
    origin = in_thread("4.4")
    assert await setup.replies.apply_reply(origin, "a fox") is None
    started = await setup.new_sessions.start(origin, "a fox")
    assert await setup.replies.apply_reply(origin, "a fox") == started
    assert len(setup.store.written) == 1


async def test_words_in_a_thread_delivered_again_count_once() -> None:
    setup = Setup(a_session())
    outcomes = await asyncio.gather(
        *(setup.replies.apply_reply(in_thread(), "night") for _ in "abc")
    )
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert len(setup.store.written) == 1


async def test_words_in_a_thread_have_options_of_their_own() -> None:
    setup = Setup(a_session(), qualities=("low",))
    refusal = setup.replies.apply_reply(in_thread(), "night --quality high")
    assert await refused(refusal) is Reason.BAD_OPTION
    await setup.replies.apply_reply(in_thread(), "night --quality low")
    assert setup.session.latest.options == Options(quality="low")


async def test_a_thread_in_another_channel_is_another_thread() -> None:
    setup = Setup(a_session())
    origin = replace(in_thread(), channel="C2")
    assert await setup.replies.apply_reply(origin, "night") is None
    assert await setup.replies.cancel(origin) is None
