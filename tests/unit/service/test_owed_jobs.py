"""What is queued after a decision."""

from __future__ import annotations

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.jobs import Job, JobKind
from bot.domain.stages import Stage
from tests.fakes import (
    BOSS,
    ID,
    a_session,
    generating,
    with_latest,
)
from tests.unit.service.services import Setup

FIRST = ImageRef(1)


async def test_the_owed_job_is_queued_and_none_where_none_is_owed() -> None:
    setup = Setup()
    queued = with_latest(generating(), announced=False)
    for session in (queued, queued, a_session(), a_session(Stage.INITIAL_INPUT)):
        await setup.jobs.queue_owed(session)
    assert setup.queue.added == [Job(JobKind.ANNOUNCE, ID, 1)]
    await setup.jobs.queue_owed(a_session(Stage.FINAL))
    assert setup.queue.added[1:] == [Job(JobKind.PUBLISH, ID, 1)]
    assert setup.cancellations.sent == []


async def test_a_queue_that_is_away_is_left_to_the_sweeper() -> None:
    setup = Setup(generating())
    setup.queue.away = True
    await setup.jobs.queue_owed(generating())
    await setup.jobs.queue_owed(await setup.decisions.cancel(ID, FIRST, BOSS))
    assert setup.queue.added == []
    assert setup.cancellations.sent == [ID]  # whoever works on it hears of it all the same


async def test_whoever_has_the_attempt_is_told_and_its_waiting_jobs_are_taken_back() -> None:
    candidates = (Candidate(1), Candidate(2, run=1))
    setup = Setup(with_latest(generating(), candidates=candidates))
    await setup.queue.add(Job(JobKind.ANNOUNCE, ID, 1))
    for candidate in candidates:
        job = Job(JobKind.GENERATE, ID, 1, candidate.run, candidate=candidate.number)
        await setup.queue.add(job)
    await setup.jobs.queue_owed(await setup.decisions.cancel(ID, ImageRef(1), BOSS))
    assert setup.cancellations.sent == [ID]
    assert list(setup.queue.states) == [Job(JobKind.SHOW_CANCELLED, ID, 1).id]
