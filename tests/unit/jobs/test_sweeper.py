"""The sweeper: who gets a new job, who is left alone, who is given up."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.attempt import Candidate
from bot.domain.jobs import MAX_RUNS, Job, JobKind
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from bot.jobs.sweeper import Sweeper
from bot.ports import JobState, Unfinished
from tests.fakes import (
    ID,
    FakeJobQueue,
    FakeSessionStore,
    a_candidate,
    a_session,
    eventually,
    generating,
    with_latest,
)
from tests.unit.jobs.setup import CANCELLED, CANCELLED_2

QUEUED = with_latest(generating(), announced=False)
"""Nothing shows yet that it is under way."""
ENDED = [JobState.DONE, JobState.FAILED, JobState.GONE]


class Floor:
    """What a sweeper sweeps."""

    def __init__(self, *sessions: Session) -> None:
        self.store = FakeSessionStore(*sessions)
        self.queue = FakeJobQueue()
        self.sweeper = Sweeper(self.store, self.queue, interval=0.01)

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]

    def know(self, kind: JobKind, state: JobState, run: int = 0, candidate: int = 0) -> None:
        self.queue.states[Job(kind, ID, 1, run, candidate=candidate).id] = state


async def test_a_session_whose_job_was_never_queued_gets_one() -> None:
    floor = Floor(QUEUED)
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.ANNOUNCE, ID, 1, 1)]
    assert floor.session.latest.requeues == 1
    assert ID in floor.store.touched


@pytest.mark.parametrize("state", ENDED)
async def test_an_attempt_whose_announcement_has_ended_without_a_result_gets_a_new_one(
    state: JobState,
) -> None:
    floor = Floor(with_latest(QUEUED, requeues=1))
    floor.know(JobKind.ANNOUNCE, state, run=1)
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.ANNOUNCE, ID, 1, 2)]


@pytest.mark.parametrize("session", [QUEUED, generating()])
async def test_a_session_that_waits_is_not_loaded_at_each_sweep(session: Session) -> None:
    kind, candidate = (JobKind.GENERATE, 1) if session.latest.announced else (JobKind.ANNOUNCE, 0)
    floor = Floor(session)
    floor.know(kind, JobState.WAITING, candidate=candidate)
    await floor.sweeper.sweep()
    looks, loads = floor.queue.looks, floor.store.loads
    for state in (JobState.WAITING, JobState.RUNNING):
        floor.know(kind, state, candidate=candidate)
        await floor.sweeper.sweep()
    assert (floor.queue.looks, floor.store.loads) == (looks, loads)
    floor.know(kind, JobState.GONE, candidate=candidate)
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(kind, ID, 1, 1, candidate=candidate)]


@pytest.mark.parametrize("state", ENDED)
async def test_a_candidate_whose_job_has_ended_without_an_image_gets_a_new_run(
    state: JobState,
) -> None:
    candidates = (a_candidate(1), Candidate(2, requeues=1), Candidate(3))
    floor = Floor(with_latest(generating(), candidates=candidates))
    floor.know(JobKind.GENERATE, state, run=1, candidate=2)
    floor.know(JobKind.GENERATE, JobState.RUNNING, candidate=3)
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.GENERATE, ID, 1, 2, candidate=2)]
    assert [c.requeues for c in floor.session.latest.candidates] == [0, 2, 0]


async def test_the_candidate_that_delivers_gets_a_new_run() -> None:
    made = (a_candidate(1), a_candidate(2))
    floor = Floor(with_latest(generating(), candidates=made, delivery_candidate=2))
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.GENERATE, ID, 1, 1, candidate=2)]


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.RUNNING])
@pytest.mark.parametrize("session", [QUEUED, generating()])
async def test_a_session_with_a_live_announcement_is_left_alone(
    session: Session, state: JobState
) -> None:
    """It is about to queue the generations, perhaps once the queue has room."""
    floor = Floor(session)
    floor.know(JobKind.ANNOUNCE, state)
    await floor.sweeper.sweep()
    assert floor.queue.added == []
    assert floor.session == session
    assert ID in floor.store.touched


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.RUNNING])
async def test_a_session_with_a_live_generation_is_left_alone(state: JobState) -> None:
    floor = Floor(generating())
    floor.know(JobKind.GENERATE, state, candidate=1)
    await floor.sweeper.sweep()
    assert floor.queue.added == []
    assert ID in floor.store.touched


async def test_an_announcement_that_ends_while_it_is_looked_at_is_not_doubled() -> None:
    floor = Floor(generating())
    floor.know(JobKind.ANNOUNCE, JobState.RUNNING)
    state = floor.queue.state

    async def ending_meanwhile(job: Job) -> JobState:
        answer = await state(job)
        floor.know(JobKind.GENERATE, JobState.WAITING, candidate=1)
        floor.know(JobKind.ANNOUNCE, JobState.DONE)
        return answer

    floor.queue.state = ending_meanwhile  # type: ignore[method-assign]
    await floor.sweeper.sweep()
    await floor.sweeper.sweep()
    assert floor.queue.added == []


async def test_an_attempt_that_begins_while_its_session_is_looked_at_is_left_alone() -> None:
    """Its entry is an old one; its job is just being queued."""
    floor = Floor(QUEUED)
    listed = floor.store.unfinished

    async def beginning_meanwhile(quiet_for: float) -> list[Unfinished]:
        entries = await listed(quiet_for)
        floor.store.touched[ID] += 1
        return entries

    floor.store.unfinished = beginning_meanwhile  # type: ignore[method-assign]
    await floor.sweeper.sweep()
    assert floor.queue.added == []
    assert floor.session == QUEUED


async def test_two_workers_that_sweep_at_once_queue_one_run() -> None:
    """The second one looks when the first is just about to put its job into the queue."""
    floor = Floor(QUEUED)
    add, sweeping = floor.queue.add, [floor.sweeper.sweep]

    async def while_another_sweeps(job: Job) -> None:
        if sweeping:
            await sweeping.pop()()
        await add(job)

    floor.queue.add = while_another_sweeps  # type: ignore[method-assign]
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.ANNOUNCE, ID, 1, 1)]
    assert floor.session.latest.requeues == 1


async def test_a_generation_that_ends_while_it_is_looked_at_is_not_doubled() -> None:
    floor = Floor(QUEUED)
    state = floor.queue.state

    async def ending_meanwhile(job: Job) -> JobState:
        floor.store.sessions[ID] = a_session()
        return await state(job)

    floor.queue.state = ending_meanwhile  # type: ignore[method-assign]
    await floor.sweeper.sweep()
    assert floor.queue.added == []
    assert floor.session == a_session()


async def test_several_sweepers_queue_one_job() -> None:
    floor = Floor(QUEUED)
    await asyncio.gather(*(floor.sweeper.sweep() for _ in range(8)))
    assert floor.queue.added == [Job(JobKind.ANNOUNCE, ID, 1, 1)]
    assert floor.session.latest.requeues == 1


async def test_an_approved_session_without_its_publication_gets_it_again() -> None:
    floor = Floor(a_session(Stage.FINAL, attempts=2))
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.PUBLISH, ID, 2, 1)]


@pytest.mark.parametrize(
    "session",
    [
        a_session(),
        a_session(Stage.INITIAL_INPUT),
        a_session(Stage.FINAL, publication=Publication.SHOWN),
    ],
)
async def test_a_session_that_is_owed_nothing_is_taken_off_the_list(session: Session) -> None:
    floor = Floor(session)
    floor.store.touched[ID] = 5.0
    await floor.sweeper.sweep()
    assert floor.store.touched == {}
    assert floor.queue.added == []


async def test_an_expired_session_is_taken_off_the_list() -> None:
    floor = Floor(QUEUED)
    floor.store.sessions.clear()
    await floor.sweeper.sweep()
    assert floor.store.touched == {}


async def test_a_session_that_expires_while_it_is_looked_at_holds_up_no_other() -> None:
    other = replace(QUEUED, id="T1.U1.def456")
    floor = Floor(QUEUED, other)
    state = floor.queue.state

    async def expiring_meanwhile(job: Job) -> JobState:
        floor.store.sessions.pop(ID, None)
        return await state(job)

    floor.queue.state = expiring_meanwhile  # type: ignore[method-assign]
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.ANNOUNCE, other.id, 1, 1)]
    assert list(floor.store.touched) == [other.id]


@pytest.mark.parametrize(
    ("session", "kind"),
    [
        (with_latest(generating(2), announced=False), JobKind.ANNOUNCE),
        (CANCELLED_2, JobKind.SHOW_CANCELLED),
        (a_session(Stage.FINAL, attempts=2), JobKind.PUBLISH),
    ],
)
async def test_what_failed_too_often_is_given_up_by_a_job_of_its_own(
    session: Session, kind: JobKind
) -> None:
    floor = Floor(with_latest(session, requeues=MAX_RUNS - 1))
    await asyncio.gather(*(floor.sweeper.sweep() for _ in range(8)))
    assert floor.queue.added == [Job(kind, ID, 2, MAX_RUNS, gives_up=True)]
    assert floor.session.latest.requeues == MAX_RUNS


async def test_a_candidate_that_failed_too_often_is_given_up() -> None:
    candidates = (Candidate(1, requeues=MAX_RUNS - 1), a_candidate(2))
    floor = Floor(with_latest(generating(), candidates=candidates))
    await floor.sweeper.sweep()
    (job,) = floor.queue.added
    assert job == Job(JobKind.GENERATE, ID, 1, MAX_RUNS, gives_up=True, candidate=1)


async def test_an_attempt_has_a_limited_number_of_runs() -> None:
    floor = Floor(QUEUED)
    for _ in range(MAX_RUNS + 1):
        await floor.sweeper.sweep()
        floor.queue.states = dict.fromkeys(floor.queue.states, JobState.FAILED)
    assert [job.run for job in floor.queue.added] == list(range(1, MAX_RUNS + 2))
    assert [job.gives_up for job in floor.queue.added] == [False] * (MAX_RUNS - 1) + [True, True]


@pytest.mark.parametrize("away", ["store", "queue"])
async def test_it_goes_on_once_what_was_away_is_back(away: str) -> None:
    floor = Floor(QUEUED)
    floor.store.away, floor.queue.away = away == "store", away == "queue"
    sweeping = asyncio.create_task(floor.sweeper.run())
    await asyncio.sleep(0.03)
    assert not sweeping.done()
    floor.store.away = floor.queue.away = False
    await eventually(lambda: floor.queue.added)
    sweeping.cancel()


async def test_one_session_that_cannot_be_read_ends_nothing() -> None:
    floor = Floor(QUEUED)
    load, calls = floor.store.load, 0

    async def unreadable(session_id: str) -> Session:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("a stage of a newer version")
        return await load(session_id)

    floor.store.load = unreadable  # type: ignore[method-assign]
    sweeping = asyncio.create_task(floor.sweeper.run())
    await eventually(lambda: floor.queue.added or sweeping.done())
    assert not sweeping.done()
    sweeping.cancel()


async def test_a_cancellation_that_nobody_shows_gets_a_job() -> None:
    floor = Floor(CANCELLED)
    await floor.sweeper.sweep()
    assert floor.queue.added == [Job(JobKind.SHOW_CANCELLED, ID, 1, 1)]
    await floor.sweeper.sweep()
    assert len(floor.queue.added) == 1


async def test_a_cancellation_that_is_being_shown_is_left_alone() -> None:
    floor = Floor(CANCELLED)
    floor.know(JobKind.SHOW_CANCELLED, JobState.RUNNING)
    await floor.sweeper.sweep()
    assert floor.queue.added == []
