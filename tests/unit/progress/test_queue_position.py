"""«Queued, k ahead»: only who is next in line, only what changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import Candidate
from bot.domain.errors import SlackBusy, SlackRefused, StoreTrouble
from bot.domain.jobs import Job, JobKind
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import JobState
from bot.progress.queue_position import AT_MOST, QueuePositions
from tests.fakes import (
    FakeJobQueue,
    FakePublisher,
    FakeSessionStore,
    a_candidate,
    eventually,
    generating,
    with_latest,
)

SESSIONS = [replace(generating(), id=f"T1.U1.{n}") for n in range(6)]
JOBS = [Job(JobKind.GENERATE, session.id, 1) for session in SESSIONS]


class Line:
    """Six sessions that wait, and who tells them."""

    def __init__(self, waiting: int = 6) -> None:
        self.store = FakeSessionStore(*SESSIONS)
        self.queue = FakeJobQueue()
        self.publisher = FakePublisher()
        self.trouble: StoreTrouble | None = None
        self.status = QueuePositions(
            self.store, self.queue, self.publisher, lambda: self.trouble, interval=0.01
        )
        self.queue.added = JOBS[:waiting]
        self.queue.states = {job.id: JobState.WAITING for job in JOBS[:waiting]}

    async def refresh(self) -> list[tuple[str, int]]:
        """What is shown at one reading: the session's token and how many are ahead."""
        before = len(self.publisher.shown)
        await self.status.refresh()
        return [(s.session.id[-1], s.details["ahead"]) for s in self.publisher.shown[before:]]


async def test_the_next_in_line_are_told_their_places() -> None:
    assert await Line().refresh() == [("0", 0), ("1", 1), ("2", 2)]
    assert AT_MOST == 3


async def test_the_others_follow_at_the_next_readings_and_nothing_is_told_twice() -> None:
    line = Line()
    await line.refresh()
    assert await line.refresh() == [("3", 3), ("4", 4), ("5", 5)]
    assert await line.refresh() == []


async def test_who_moves_up_is_told() -> None:
    line = Line(waiting=3)
    await line.refresh()
    line.queue.states[JOBS[0].id] = JobState.RUNNING
    assert await line.refresh() == [("1", 0), ("2", 1)]


async def test_a_job_that_comes_back_is_told_again() -> None:
    line = Line(waiting=1)
    await line.refresh()
    line.queue.states[JOBS[0].id] = JobState.RUNNING
    assert await line.refresh() == []
    line.queue.states[JOBS[0].id] = JobState.WAITING
    assert await line.refresh() == [("0", 0)]


async def test_an_attempt_whose_other_images_wait_is_told_how_far_it_is() -> None:
    """No worker makes one of its images just now, so no run edits the message."""
    line = Line(waiting=1)
    made = (a_candidate(1, run_id="a"), Candidate(2))
    session = with_latest(SESSIONS[0], candidates=made, started_at=5.0)
    line.store.sessions[session.id] = session
    assert await line.refresh() == [("0", 0)]
    being_made = (a_candidate(1, run_id="a"), Candidate(2, run_id="b"))
    line.store.sessions[session.id] = with_latest(session, candidates=being_made)
    line.trouble = StoreTrouble.FULL
    assert await line.refresh() == [], "a run tells"


async def test_what_slack_was_too_busy_for_is_told_at_the_next_reading() -> None:
    line = Line(waiting=2)
    line.publisher.failures["show_status"] = [SlackBusy(1.0)]
    with pytest.raises(SlackBusy):
        await line.refresh()
    assert await line.refresh() == [("0", 0), ("1", 1)]


async def test_a_session_that_cannot_be_shown_is_passed_over() -> None:
    line = Line(waiting=3)
    del line.store.sessions[SESSIONS[0].id]
    line.publisher.failures["show_status"] = [SlackRefused("chat.update", "message_not_found")]
    assert await line.refresh() == [("1", 1), ("2", 2)]
    assert await line.refresh() == []


@pytest.mark.parametrize("away", ["store", "queue", "slack"])
async def test_it_goes_on_once_what_was_away_is_back(away: str) -> None:
    line = Line(waiting=1)
    line.store.away, line.queue.away = away == "store", away == "queue"
    if away == "slack":
        line.publisher.failures["show_status"] = [SlackBusy(1.0)]
    looking = asyncio.create_task(line.status.run())
    await asyncio.sleep(0.03)
    line.store.away = line.queue.away = False
    before = len(line.publisher.shown)
    if away != "slack":
        await eventually(lambda: len(line.publisher.shown) > before)
    assert not looking.done()
    looking.cancel()


@pytest.mark.parametrize(
    "session",
    [
        replace(SESSIONS[0], stage=Stage.INITIAL_INPUT),
        replace(SESSIONS[0], root_ts=""),
        replace(generating(2), id=SESSIONS[0].id),
    ],
    ids=["cancelled", "no root", "another attempt"],
)
async def test_a_job_that_nobody_waits_for_is_passed_over(session: Session) -> None:
    line = Line(waiting=2)
    line.store.sessions[session.id] = session
    assert await line.refresh() == [("1", 1)]


async def test_a_session_that_is_cancelled_while_it_is_told_its_place_is_told_that() -> None:
    line = Line(waiting=1)
    show = line.publisher.show_status

    async def cancelled_meanwhile(session: Session, ahead: int | None, **more: Any) -> None:
        await show(session, ahead, **more)
        line.store.sessions[session.id] = replace(session, stage=Stage.INITIAL_INPUT)

    line.publisher.show_status = cancelled_meanwhile  # type: ignore[method-assign]
    await line.refresh()
    assert [s.details["ahead"] for s in line.publisher.shown] == [0, None]
    assert line.publisher.shown[-1].session.stage is Stage.INITIAL_INPUT


async def test_those_that_wait_are_told_when_the_store_takes_nothing_new_and_when_it_does() -> None:
    line = Line(waiting=1)
    await line.refresh()
    line.trouble = StoreTrouble.FULL
    assert await line.refresh() == [("0", 0)]
    assert line.publisher.shown[-1].details["waits_for"] is StoreTrouble.FULL
    assert await line.refresh() == []
    line.trouble = None
    assert await line.refresh() == [("0", 0)]
    assert line.publisher.shown[-1].details["waits_for"] is None
