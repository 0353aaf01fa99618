"""What a job does that failed too often: who is told, and what can be done next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import FailureKind, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.steps import start_over
from bot.domain.work import MAX_RUNS, Job, owed
from tests.fakes import a_session, generating, with_latest
from tests.unit.worker.desk import Worker

FINAL = a_session(Stage.FINAL)
STARTED_OVER = start_over(FINAL, "T1.U1.next", 50.0)
CANCELLED = replace(
    with_latest(generating(), failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT
)


def last_job(session: Session) -> Job:
    job = owed(session)
    assert job is not None
    return replace(job, run=MAX_RUNS, gives_up=True)


async def given_up(session: Session) -> Worker:
    worker = Worker(session)
    await worker.run(last_job(session))
    return worker


async def test_an_attempt_is_reported_as_failed_without_another_try() -> None:
    worker = await given_up(generating(2))
    assert worker.publisher.names() == ["post_failure", "refresh_draft"]
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.session.latest.failure is FailureKind.INTERNAL
    assert "Try again" in worker.session.error_message
    assert worker.backend.requests == []


async def test_the_owner_is_told_what_was_not_published_and_can_publish_it_again() -> None:
    worker = await given_up(FINAL)
    assert worker.session.stage is Stage.FINAL
    assert worker.publisher.names() == ["show_status", "tell_owner"]
    assert worker.publisher.shown[1].details["words"] == worker.session.error_message != ""
    assert owed(worker.session) is None


async def test_a_first_message_that_is_gone_keeps_nobody_from_being_told() -> None:
    worker = Worker(FINAL)
    worker.publisher.failures["show_status"] = [SlackRefused("chat.update", "message_not_found")]
    await worker.run(last_job(FINAL))
    assert worker.publisher.names() == ["show_status", "tell_owner"]
    assert owed(worker.session) is None


async def test_the_owner_is_told_what_was_not_published_also_after_a_start_over() -> None:
    worker = await given_up(STARTED_OVER)
    assert worker.publisher.names() == ["show_status", "tell_owner"]
    assert worker.session.attempts == ()
    assert owed(worker.session) is None


@pytest.mark.parametrize(
    "session",
    [
        CANCELLED,
        replace(FINAL, final_ts="9.0"),
        replace(STARTED_OVER, final_ts="9.0"),
        replace(STARTED_OVER, error_message="told before"),
    ],
)
async def test_what_can_only_not_be_shown_is_given_up_in_silence(session: Session) -> None:
    worker = await given_up(session)
    assert worker.publisher.shown == []
    assert owed(worker.session) is None


@pytest.mark.parametrize(
    ("session", "call"), [(generating(), "post_failure"), (FINAL, "show_status")]
)
async def test_while_slack_is_away_it_is_put_off(session: Session, call: str) -> None:
    worker = Worker(session)
    worker.publisher.failures[call] = [SlackUnavailable("away")]
    with pytest.raises(SlackUnavailable):
        await worker.run(last_job(session))
    assert (worker.publisher.names(), worker.session) == ([call], session)
    await worker.run(last_job(session), repeated=True)
    assert owed(worker.session) is None


@pytest.mark.parametrize(
    ("session", "moved_on"),
    [
        (generating(), a_session()),
        (generating(), CANCELLED),
        (FINAL, replace(FINAL, final_ts="9.0", final_shown=True)),
        (FINAL, STARTED_OVER),
        (generating(), generating(2)),
    ],
)
async def test_what_was_brought_on_meanwhile_is_not_given_up(
    session: Session, moved_on: Session
) -> None:
    worker = Worker(moved_on)
    await worker.run(last_job(session))
    assert worker.publisher.shown == []
    assert worker.session == moved_on
