"""Which job a session is owed, and how jobs are named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.begin import regenerate, try_again
from bot.domain.failures import FailureKind
from bot.domain.generation import attempt_failed
from bot.domain.jobs import (
    MAX_RUNS,
    Job,
    JobKind,
    ahead_of_each,
    due_jobs,
    is_due,
    with_next_run,
)
from bot.domain.publication import final_posted, final_shown, not_published, publish_again
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from bot.domain.transitions import approve, cancel, cancel_shown
from tests.fakes import ID, OWNER, a_candidate, a_session, generating, with_latest

NOW = 500.0


def cancelled(number: int = 1) -> Session:
    return cancel(generating(number), number, "cancelled", 1.0)


@pytest.mark.parametrize(
    "session",
    [
        a_session(Stage.INITIAL_INPUT),
        a_session(Stage.USER_FEEDBACK),
        a_session(Stage.FINAL, final_ts="9.0", publication=Publication.SHOWN),
        not_published(a_session(Stage.FINAL), "could not be published"),
        attempt_failed(generating(), 1, FailureKind.QUOTA, "w", "", 1.0),
        attempt_failed(generating(2), 2, FailureKind.QUOTA, "w", "8.0", 1.0),
        cancel_shown(cancelled(), 1),
        cancel_shown(cancelled(2), 2),
    ],
)
def test_a_session_that_waits_for_a_person_is_owed_nothing(session: Session) -> None:
    assert due_jobs(session) == ()


def test_a_generating_session_is_owed_its_newest_attempt() -> None:
    session = with_latest(generating(2), announced=False)
    assert due_jobs(session) == (Job(JobKind.ANNOUNCE, ID, 2, 0),)
    assert due_jobs(with_latest(session, requeues=3)) == (Job(JobKind.ANNOUNCE, ID, 2, 3),)


def test_an_announced_attempt_is_owed_each_image_that_is_not_made() -> None:
    candidates = (
        a_candidate(1),
        Candidate(2, requeues=2),
        Candidate(3, failure=FailureKind.TIMED_OUT),
        Candidate(4),
    )
    assert due_jobs(with_latest(generating(), candidates=candidates)) == (
        Job(JobKind.GENERATE, ID, 1, 2, candidate=2),
        Job(JobKind.GENERATE, ID, 1, 0, candidate=4),
    )


def test_an_attempt_whose_images_are_made_is_owed_their_delivery() -> None:
    made = (a_candidate(1), a_candidate(2, requeues=1))
    session = with_latest(generating(), candidates=made, delivery_candidate=2)
    assert due_jobs(session) == (Job(JobKind.GENERATE, ID, 1, 1, candidate=2),)
    assert is_due(session, Job(JobKind.GENERATE, ID, 1, 0, candidate=2))
    assert not is_due(session, Job(JobKind.GENERATE, ID, 1, 0, candidate=1))
    assert not is_due(session, Job(JobKind.ANNOUNCE, ID, 1))


def test_the_next_run_is_recorded_once() -> None:
    session = with_latest(generating(), candidates=(Candidate(1), Candidate(2)))
    first, second = due_jobs(session)
    again = with_next_run(session, second)
    assert [c.requeues for c in again.latest.candidates] == [0, 1]
    assert with_next_run(again, second) == again
    assert due_jobs(again) == (first, replace(second, run=1))
    waiting = with_latest(session, announced=False)
    assert with_next_run(waiting, due_jobs(waiting)[0]).latest.requeues == 1


def test_several_images_of_one_attempt_count_once_in_the_queue() -> None:
    waiting = [
        Job(JobKind.GENERATE, name, 1, candidate=candidate)
        for name, candidate in [("a", 1), ("a", 2), ("b", 1), ("a", 3), ("c", 1)]
    ]
    assert ahead_of_each(waiting) == {("a", 1): 0, ("b", 1): 1, ("c", 1): 2}


@pytest.mark.parametrize("number", [1, 2])
def test_a_cancelled_attempt_is_owed_its_settling_until_that_is_shown(number: int) -> None:
    session = cancelled(number)
    assert due_jobs(session) == (Job(JobKind.SHOW_CANCELLED, ID, number, 0),)
    assert due_jobs(with_latest(session, requeues=2)) == (
        Job(JobKind.SHOW_CANCELLED, ID, number, 2),
    )
    assert due_jobs(cancel_shown(session, number)) == ()


def test_what_is_begun_or_approved_after_a_cancel_comes_before_its_settling() -> None:
    session = cancelled(2)
    assert due_jobs(regenerate(session, 1, 2.0)) == (Job(JobKind.ANNOUNCE, ID, 3),)
    assert due_jobs(try_again(session, 2, 2.0)) == (Job(JobKind.ANNOUNCE, ID, 3),)
    assert due_jobs(approve(session, ImageRef(1), OWNER, 2.0)) == (Job(JobKind.PUBLISH, ID, 1),)


def test_an_approved_session_is_owed_its_publication() -> None:
    final = a_session(Stage.FINAL, attempts=3, final_result=2)
    assert due_jobs(final) == (Job(JobKind.PUBLISH, ID, 2, 0),)
    posted = final_posted(final, "9.0")
    assert due_jobs(posted) == (Job(JobKind.PUBLISH, ID, 2, 0),)  # until the drafts show it too
    assert due_jobs(final_shown(posted)) == ()
    assert final_posted(posted, "9.5") == posted


def test_every_run_of_every_kind_has_a_name_of_its_own() -> None:
    jobs = [
        Job(kind, session, attempt, run, candidate=candidate)
        for kind in JobKind
        for candidate in (0, 1, 2)
        for session in (ID, "T1.U1.abc1")
        for attempt in (1, 11)
        for run in (0, 1)
    ]
    assert len({job.id for job in jobs}) == len(jobs)
    assert [Job.from_id(job.id) for job in jobs] == jobs
    assert ":" not in "".join(job.id for job in jobs)  # the queue's own separator


def test_what_slack_did_not_take_is_published_again_by_a_new_job() -> None:
    shown = final_shown(not_published(a_session(Stage.FINAL), "could not be published"))
    again = publish_again(shown, 1, NOW)
    assert due_jobs(again) == (Job(JobKind.PUBLISH, ID, 1, 1),)
    assert again.error_message == ""


@pytest.mark.parametrize(
    ("session", "number", "reason"),
    [
        (a_session(Stage.FINAL, attempts=2), 1, Reason.ALREADY_APPROVED),
        (
            a_session(Stage.FINAL, final_ts="9.0", publication=Publication.SHOWN),
            1,
            Reason.ALREADY_APPROVED,
        ),
        (not_published(a_session(Stage.FINAL, attempts=2), "words"), 1, Reason.MOVED_ON),
    ],
)
def test_what_is_out_or_is_not_what_was_approved_is_not_published_again(
    session: Session, number: int, reason: Reason
) -> None:
    with pytest.raises(Refusal) as refusal:
        publish_again(session, number, NOW)
    assert refusal.value.reason is reason


def test_what_is_on_its_way_is_published_once() -> None:
    refused = not_published(a_session(Stage.FINAL), "words")
    again = publish_again(refused, 1, NOW, "click-1")
    assert publish_again(again, 1, NOW, "click-1") == again
    assert publish_again(again, 1, NOW, "click-2") == again
    refused = not_published(again, "words")
    assert publish_again(refused, 1, NOW, "click-1") == refused
    assert due_jobs(publish_again(refused, 1, NOW, "click-2")) == (Job(JobKind.PUBLISH, ID, 1, 2),)


def test_what_is_asked_for_again_is_not_done_by_whoever_shows_that_it_failed() -> None:
    refused = not_published(a_session(Stage.FINAL), "words")
    again = publish_again(refused, 1, NOW)
    assert final_shown(again) == again
    assert final_shown(refused) == refused
    assert final_posted(refused, "9.0").error_message == ""


def test_after_its_runs_a_job_gives_up_under_names_of_their_own() -> None:
    jobs = [Job(JobKind.PUBLISH, ID, 1)]
    for _ in range(MAX_RUNS + 1):
        jobs.append(jobs[-1].again)
    assert [job.gives_up for job in jobs] == [False] * MAX_RUNS + [True, True]
    assert len({job.id for job in jobs}) == len(jobs)
