"""What is queued after a decision."""

from __future__ import annotations

from bot.domain.attempt import ImageRef
from bot.domain.stages import Stage
from bot.domain.work import Job, JobKind
from tests.fakes import (
    BOSS,
    ID,
    a_session,
    generating,
)
from tests.unit.service.services import Setup

FIRST = ImageRef(1)


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


async def test_whoever_has_the_attempt_is_told_and_its_waiting_jobs_are_taken_back() -> None:
    setup = Setup(generating())
    for kind in (JobKind.ANNOUNCE, JobKind.GENERATE):
        await setup.queue.add(Job(kind, ID, 1))
    await setup.jobs.queue_owed(await setup.decisions.cancel(ID, ImageRef(1), BOSS))
    assert setup.cancellations.sent == [ID]
    assert list(setup.queue.states) == [Job(JobKind.SETTLE, ID, 1).id]
