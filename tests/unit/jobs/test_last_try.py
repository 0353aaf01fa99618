"""What becomes of a job that failed too often: it is tried a last time, and then who is told, and
what can be done next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.errors import SlackBusy, SlackRefused, SlackUnavailable
from bot.domain.failures import FailureKind
from bot.domain.jobs import MAX_RUNS, Job, JobKind, due_jobs
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from bot.progress import live_status
from tests.fakes import ID, a_session, generating, with_latest
from tests.unit.jobs.setup import CANCELLED, CANCELLED_2, Worker

FINAL = a_session(Stage.FINAL)
BROKEN = RuntimeError("a bug")
AWAY = SlackUnavailable("away")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_status, "LAST_EDIT_WITHIN", 0.05)


def queued(**changes: Any) -> Session:
    """Nothing shows yet that its attempt is under way."""
    return with_latest(generating(**changes), announced=False)


def last_job(session: Session, run: int = MAX_RUNS) -> Job:
    (job,) = due_jobs(session)
    return replace(job, run=run, gives_up=True)


async def given_up(session: Session, call: str, error: Exception = BROKEN) -> Worker:
    """The worker after a last try that failed at this call."""
    worker = Worker(session)
    worker.publisher.failures[call] = [error]
    await worker.run(last_job(session))
    return worker


# the last try


async def test_a_last_try_that_works_is_nothing_special() -> None:
    worker = Worker(FINAL)
    await worker.run(last_job(FINAL))
    assert [shown.details for shown in worker.publisher.of("post_final")] == [{"repeated": True}]
    assert (worker.session.publication, worker.session.error_message) == (Publication.SHOWN, "")
    assert worker.publisher.of("tell_owner") == []


async def test_an_attempt_that_is_announced_is_generated_in_a_last_try() -> None:
    worker = Worker(with_latest(generating(root_ts="", thread_ts=""), announced=False))
    await worker.run(last_job(worker.session))
    assert worker.queue.added == [Job(JobKind.GENERATE, ID, 1, candidate=1)]
    await worker.run(worker.queue.added[0])
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.session.error_message == ""


async def test_what_ended_its_worker_too_often_is_tried_no_more() -> None:
    worker = Worker(FINAL)
    await worker.run(last_job(FINAL, run=2 * MAX_RUNS))
    assert worker.publisher.names() == ["tell_owner", "show_status"]


# while Slack is away


@pytest.mark.parametrize("session", [generating(), FINAL, CANCELLED])
async def test_while_slack_is_away_nothing_is_given_up(session: Session) -> None:
    worker = Worker(session)
    worker.publisher.failures["show_status"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(last_job(session))
    assert (worker.publisher.names(), worker.session) == (["show_status"], session)


async def test_a_busy_slack_is_no_failure() -> None:
    worker = Worker(FINAL)
    worker.publisher.failures["post_final"] = [SlackBusy(200.0)]
    with pytest.raises(SlackBusy):
        await worker.run(last_job(FINAL))
    assert worker.session == FINAL
    await worker.run(last_job(FINAL), repeated=True)
    assert worker.session.final_ts == "post_final:0"


@pytest.mark.parametrize(
    ("session", "work", "call"),
    [
        (
            with_latest(generating(root_ts="", thread_ts=""), announced=False),
            "post_root",
            "tell_owner",
        ),
        (with_latest(generating(), announced=False), "show_status", "post_failure"),
        (FINAL, "post_final", "tell_owner"),
    ],
)
async def test_where_the_owner_cannot_be_told_it_is_put_off(
    session: Session, work: str, call: str
) -> None:
    worker = Worker(session)
    worker.publisher.failures = {work: [BROKEN], call: [AWAY]}
    if work == "show_status":
        worker.publisher.failures = {call: [AWAY]}
        worker.queue.away = True
    with pytest.raises(SlackUnavailable):
        await worker.run(last_job(session))
    assert worker.session.stage is session.stage
    assert worker.session.error_message == ""


# giving up


async def test_an_attempt_is_reported_as_failed_with_its_button() -> None:
    worker = Worker(with_latest(generating(2), announced=False))
    worker.queue.away = True
    await worker.run(last_job(worker.session))
    assert worker.publisher.names()[-3:] == ["post_failure", "refresh_draft", "show_status"]
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.session.latest.failure is FailureKind.INTERNAL
    assert "Try again" in worker.session.error_message
    assert worker.backend.requests == []


async def test_a_generation_that_breaks_in_its_last_try_is_reported_too() -> None:
    worker = Worker(generating(2))
    worker.publisher.failures["post_draft"] = [BROKEN]
    await worker.run(replace(last_job(worker.session), kind=JobKind.GENERATE))
    assert worker.session.latest.failure is FailureKind.INTERNAL
    assert worker.publisher.names()[-3:] == ["post_failure", "refresh_draft", "show_status"]


async def test_the_owner_is_told_what_was_not_published_and_can_publish_it_again() -> None:
    worker = await given_up(FINAL, "post_final")
    assert worker.session.stage is Stage.FINAL
    assert worker.publisher.names()[-3:] == ["post_final", "tell_owner", "show_status"]
    (told,) = worker.publisher.of("tell_owner")
    assert told.details["words"] == worker.session.error_message
    assert "Try again" in worker.session.error_message
    assert due_jobs(worker.session) == ()


@pytest.mark.parametrize(
    ("session", "call"),
    [
        (CANCELLED_2, "refresh_draft"),
        (a_session(Stage.FINAL, final_ts="9.0"), "refresh_draft"),
    ],
)
async def test_what_cannot_be_shown_is_in_force_all_the_same(session: Session, call: str) -> None:
    worker = Worker(session)
    worker.publisher.failures[call] = [BROKEN]
    await worker.run(last_job(session))
    assert worker.without_status()[-1] == call
    assert worker.publisher.of("tell_owner") == []
    assert due_jobs(worker.session) == ()


@pytest.mark.parametrize(
    ("session", "moved_on"),
    [
        (generating(), a_session()),
        (generating(), CANCELLED),
        (FINAL, a_session(Stage.FINAL, final_ts="9.0", publication=Publication.SHOWN)),
        (generating(), generating(2)),
    ],
)
async def test_what_was_brought_on_meanwhile_is_not_given_up(
    session: Session, moved_on: Session
) -> None:
    worker = Worker(moved_on)
    await worker.run(last_job(session))
    assert worker.without_status() == []
    assert worker.session == moved_on


async def test_a_first_message_that_is_gone_keeps_nobody_from_being_told() -> None:
    worker = Worker(FINAL)
    gone = SlackRefused("chat.update", "message_not_found")
    worker.publisher.failures = {"show_status": [gone, gone], "post_final": [BROKEN]}
    await worker.run(last_job(FINAL))
    assert worker.without_status()[-2:] == ["post_final", "tell_owner"]
    assert due_jobs(worker.session) == ()
