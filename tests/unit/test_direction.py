"""What a person can do, judged on the server and kept by compare-and-set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.direction import Direction, Place
from bot.domain.errors import Reason, Refusal, StoreUnavailable
from bot.domain.policy import Policy
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.work import Job, JobKind
from bot.tasks import BackgroundTasks
from tests.fakes import (
    CHANNEL,
    ID,
    OWNER,
    PROMPT,
    STRANGER,
    FakeJobQueue,
    FakeSessionStore,
    a_session,
    clock,
    generating,
)

PLACE = Place("T1", OWNER, CHANNEL, "https://hooks/1", seed="trigger.1")


class Desk:
    """A direction with its surroundings."""

    def __init__(self, *sessions: Session, policy: Policy | None = None) -> None:
        self.store = FakeSessionStore(*sessions)
        self.queue = FakeJobQueue()
        self.tasks = BackgroundTasks()
        self.direction = Direction(
            self.store, self.queue, policy or Policy(), self.tasks, now=clock()
        )

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


async def refused(work: Awaitable[object]) -> Reason:
    with pytest.raises(Refusal) as refusal:
        await work
    return refusal.value.reason


async def test_a_prompt_starts_a_session_that_is_generating() -> None:
    desk = Desk()
    session = await desk.direction.start(PLACE, f"  {PROMPT}\x00 ")
    assert (session.stage, session.task_input) == (Stage.GENERATING, PROMPT)
    assert (session.team, session.user, session.channel) == ("T1", OWNER, CHANNEL)
    assert session.response_url == "https://hooks/1"
    assert desk.store.sessions == {session.id: session}


async def test_the_same_request_twice_starts_one_session() -> None:
    desk = Desk()
    first, second = await asyncio.gather(
        desk.direction.start(PLACE, PROMPT), desk.direction.start(PLACE, PROMPT)
    )
    assert first == second
    assert len(desk.store.sessions) == 1


async def test_two_requests_of_one_person_start_two_sessions() -> None:
    desk = Desk()
    other = Place("T1", OWNER, CHANNEL, "", seed="trigger.2")
    first, second = await desk.direction.start(PLACE, "a"), await desk.direction.start(other, "b")
    assert first.id != second.id
    assert {first.id, second.id} == set(await desk.store.sessions_of("T1", OWNER))


async def test_the_session_id_hides_the_trigger_and_names_its_owner() -> None:
    assert PLACE.session_id().startswith(f"T1.{OWNER}.")
    assert "trigger" not in PLACE.session_id()


@pytest.mark.parametrize("text", ["  ", "x" * 32_001])
async def test_a_prompt_that_will_not_do_keeps_nothing(text: str) -> None:
    desk = Desk()
    await refused(desk.direction.start(PLACE, text))
    assert desk.store.sessions == {}


async def test_a_form_opens_a_session_that_waits_for_its_prompt() -> None:
    desk = Desk()
    session = await desk.direction.open(PLACE)
    assert (session.stage, session.attempts) == (Stage.INITIAL_INPUT, ())
    submitted, old = await desk.direction.submit(session.id, OWNER, "a cat")
    assert (submitted.stage, submitted.task_input, old) == (Stage.GENERATING, "a cat", None)


async def test_a_session_whose_keeping_is_in_doubt_is_taken_back() -> None:
    """The person is told to try again: it must not appear all the same, minutes later."""
    desk = Desk()
    create = desk.store.create

    async def kept_but_unanswered(session: Session) -> Session:
        await create(session)
        raise StoreUnavailable("the answer was lost")

    desk.store.create = kept_but_unanswered  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await desk.direction.start(PLACE, PROMPT)
    await desk.tasks.drain(1)
    assert desk.store.sessions == {}


async def test_approving_twice_from_two_people_at_once_counts_once() -> None:
    desk = Desk(a_session(), policy=Policy(anyone=True))
    outcomes = await asyncio.gather(
        *(desk.direction.approve(ID, 1, user) for user in (OWNER, STRANGER) * 5),
        return_exceptions=True,
    )
    approved = [o for o in outcomes if isinstance(o, Session)]
    assert len(approved) == 1
    reasons = {o.reason for o in outcomes if isinstance(o, Refusal)}
    assert reasons == {Reason.ALREADY_APPROVED}
    assert desk.session.approved_by == approved[0].approved_by
    assert len(desk.store.written) == 1


async def test_approve_and_regenerate_at_once_move_the_stage_once() -> None:
    desk = Desk(a_session())
    outcomes = await asyncio.gather(
        desk.direction.regenerate(ID, 1, OWNER),
        desk.direction.approve(ID, 1, OWNER),
        desk.direction.regenerate(ID, 1, OWNER),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Session) for outcome in outcomes) == 1
    assert len(desk.store.written) == 1
    assert len(desk.session.attempts) <= 2


Act = Callable[[Direction, str], Awaitable[object]]
ACTS: dict[str, tuple[Stage, Act]] = {
    "submit": (Stage.INITIAL_INPUT, lambda d, user: d.submit(ID, user, PROMPT)),
    "approve": (Stage.USER_FEEDBACK, lambda d, user: d.approve(ID, 1, user)),
    "regenerate": (Stage.USER_FEEDBACK, lambda d, user: d.regenerate(ID, 1, user)),
    "try_again": (Stage.USER_FEEDBACK, lambda d, user: d.try_again(ID, 1, user)),
    "edit": (Stage.USER_FEEDBACK, lambda d, user: d.try_again(ID, 1, user, "a cat")),
    "may_edit": (Stage.USER_FEEDBACK, lambda d, user: d.may_edit(ID, 1, user)),
    "may_start_over": (Stage.FINAL, lambda d, user: d.may_start_over(ID, user)),
}


@pytest.mark.parametrize("name", list(ACTS))
async def test_a_stranger_changes_nothing(name: str) -> None:
    stage, act = ACTS[name]
    desk = Desk(a_session(stage))
    assert await refused(act(desk.direction, STRANGER)) is Reason.NOT_ALLOWED
    assert desk.store.written == []


@pytest.mark.parametrize("name", list(ACTS))
async def test_whom_the_policy_names_may_what_the_owner_may(name: str) -> None:
    stage, act = ACTS[name]
    desk = Desk(a_session(stage), policy=Policy(others=frozenset({STRANGER})))
    await act(desk.direction, STRANGER)


@pytest.mark.parametrize("name", list(ACTS))
async def test_a_session_that_is_gone_has_expired(name: str) -> None:
    assert await refused(ACTS[name][1](Desk().direction, OWNER)) is Reason.EXPIRED


@pytest.mark.parametrize("name", list(ACTS))
async def test_what_cannot_be_kept_is_not_said_to_be(name: str) -> None:
    stage, act = ACTS[name]
    desk = Desk(a_session(stage))
    desk.store.away = True
    with pytest.raises(StoreUnavailable):
        await act(desk.direction, OWNER)


async def test_asking_whether_changes_nothing() -> None:
    for stage, name in ((Stage.USER_FEEDBACK, "may_edit"), (Stage.FINAL, "may_start_over")):
        desk = Desk(a_session(stage))
        await ACTS[name][1](desk.direction, OWNER)
        assert desk.store.written == []


async def test_a_click_that_is_faster_than_the_record_of_its_message_waits_for_it() -> None:
    desk = Desk(generating())
    click = asyncio.create_task(desk.direction.approve(ID, 1, OWNER))
    await asyncio.sleep(0.02)
    assert not click.done()
    desk.store.sessions[ID] = a_session(version=2)
    assert (await click).stage is Stage.FINAL


async def test_a_click_while_the_image_is_made_is_told_so_in_time() -> None:
    desk = Desk(generating())
    assert await refused(desk.direction.approve(ID, 1, OWNER)) is Reason.STILL_WORKING
    desk = Desk(generating(2))
    assert await refused(desk.direction.approve(ID, 1, OWNER)) is Reason.STILL_WORKING


async def test_starting_over_clears_the_approved_session_and_its_images() -> None:
    desk = Desk(a_session(Stage.FINAL, attempts=2, final_ts="9.0"))
    desk.store.images = {(ID, 1): "a", (ID, 2): "b"}
    new = await desk.direction.open(PLACE, restarts=ID)
    session, old = await desk.direction.submit(new.id, OWNER, "a cat")
    assert (session.stage, session.task_input) == (Stage.GENERATING, "a cat")
    assert old is not None
    assert (old.final_ts, old.final_result) == ("9.0", 2)
    assert (desk.session.stage, desk.session.restarted_as) == (Stage.INITIAL_INPUT, new.id)
    assert desk.store.images == {}


async def test_of_two_forms_that_start_over_the_first_submitted_counts() -> None:
    desk = Desk(a_session(Stage.FINAL))
    first = await desk.direction.open(PLACE, restarts=ID)
    second = await desk.direction.open(Place("T1", OWNER, CHANNEL, "", "t.2"), restarts=ID)
    await desk.direction.submit(second.id, OWNER, "a cat")
    assert await refused(desk.direction.submit(first.id, OWNER, "a dog")) is Reason.STARTED_OVER
    assert desk.store.sessions[first.id].stage is Stage.INITIAL_INPUT


async def test_starting_over_goes_on_where_the_store_went_away_in_between() -> None:
    desk = Desk(a_session(Stage.FINAL, final_ts="9.0"))
    new = await desk.direction.open(PLACE, restarts=ID)
    desk.store.writes_until_away = 1
    with pytest.raises(StoreUnavailable):
        await desk.direction.submit(new.id, OWNER, "a cat")
    desk.store.writes_until_away = None
    session, _ = await desk.direction.submit(new.id, OWNER, "a cat")
    assert session.stage is Stage.GENERATING


async def test_the_owed_job_is_queued_and_none_where_none_is_owed() -> None:
    desk = Desk()
    for session in (generating(), generating(), a_session(), a_session(Stage.INITIAL_INPUT)):
        await desk.direction.queue_owed(session)
    assert desk.queue.added == [Job(JobKind.ANNOUNCE, ID, 1)]
    await desk.direction.queue_owed(a_session(Stage.FINAL))
    assert desk.queue.added[1:] == [Job(JobKind.FINISH, ID, 1)]


async def test_a_queue_that_is_away_is_left_to_the_sweeper() -> None:
    desk = Desk()
    desk.queue.away = True
    await desk.direction.queue_owed(generating())
    assert desk.queue.added == []
