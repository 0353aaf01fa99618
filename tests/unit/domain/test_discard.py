"""Discard and Undo: what they change, when they are refused, and what is owed after them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.queue.job_data import QUEUE_OF
from bot.domain.attempt import ImageRef
from bot.domain.books import changes as book_changes
from bot.domain.discard import discard, undo_discard
from bot.domain.jobs import Job, JobKind, due_jobs, with_next_run
from bot.domain.publication import given_up
from bot.domain.record import RecordKind, events_between
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import DISCARD_SCHEMA, SCHEMA, UNDO_FOR, Session
from bot.domain.stages import Discard, Publication, Stage
from bot.domain.transitions import approve, cancel_shown, discard_shown
from tests.fakes import ID, OWNER, STRANGER, a_session, generating

DRAFT = a_session(attempts=2)
AT = 1_000.0


def discarded(session: Session = DRAFT, key: str = "") -> Session:
    return discard(session, len(session.attempts), OWNER, "Cancelled.", AT, key)


def refused(change: object) -> Reason:
    with pytest.raises(Refusal) as refusal:
        change()  # type: ignore[operator]
    return refusal.value.reason


def test_a_draft_is_discarded_and_nothing_else_changes() -> None:
    after = discarded()
    assert (after.discard, after.discarded_by, after.discarded_at) == (
        Discard.DISCARDED, OWNER, AT,
    )  # fmt: skip
    assert after.schema == DISCARD_SCHEMA
    assert (after.stage, after.attempts, after.task_input) == (
        DRAFT.stage, DRAFT.attempts, DRAFT.task_input,
    )  # fmt: skip


@pytest.mark.parametrize("number", [1, 3])
def test_what_is_under_way_is_cancelled_first(number: int) -> None:
    after = discarded(generating(number))
    stage = Stage.USER_FEEDBACK if number > 1 else Stage.INITIAL_INPUT
    assert (after.stage, after.latest.cancelled) == (stage, True)
    kinds = [job.kind for job in due_jobs(after)]
    assert kinds == [JobKind.SHOW_CANCELLED, JobKind.SHOW_DISCARD]


def test_undo_leaves_it_as_it_was_before() -> None:
    after = discard_shown(undo_discard(discarded(), STRANGER, AT + 1), Discard.RESTORED)
    assert (after.discard, after.schema, after.restored_by) == (Discard.KEPT, SCHEMA, STRANGER)
    assert approve(after, ImageRef(2), OWNER, AT + 2).stage is Stage.FINAL


@pytest.mark.parametrize("late", [0.0, 1.0, UNDO_FOR])
def test_undo_works_for_ten_minutes(late: float) -> None:
    assert not undo_discard(discarded(), OWNER, AT + late).discarded


@pytest.mark.parametrize("late", [UNDO_FOR + 0.1, 86_400.0])
def test_undo_is_refused_later(late: float) -> None:
    assert refused(lambda: undo_discard(discarded(), OWNER, AT + late)) is Reason.UNDO_EXPIRED


def test_a_second_discard_and_a_second_undo_change_nothing() -> None:
    once = discarded()
    assert discard(once, 2, STRANGER, "w", AT + 5) is once
    back = undo_discard(once, OWNER, AT + 6)
    assert undo_discard(back, STRANGER, AT + 7) is back
    assert undo_discard(DRAFT, OWNER, AT) is DRAFT


def test_a_discard_that_is_delivered_again_after_its_undo_changes_nothing() -> None:
    back = undo_discard(discarded(key="click-1"), OWNER, AT + 1)
    assert discard(back, 2, OWNER, "w", AT + 2, "click-1") is back
    assert discard(back, 2, OWNER, "w", AT + 2, "click-2").discarded


@pytest.mark.parametrize(
    ("session", "number", "reason"),
    [
        (a_session(Stage.FINAL), 1, Reason.ALREADY_APPROVED),
        (a_session(Stage.FINAL, final_ts="9.0", publication=Publication.SHOWN), 1,
         Reason.ALREADY_APPROVED),
        (a_session(Stage.INITIAL_INPUT), 0, Reason.MOVED_ON),
        (DRAFT, 1, Reason.MOVED_ON),
        (generating(3), 2, Reason.MOVED_ON),
    ],
)  # fmt: skip
def test_discard_is_refused(session: Session, number: int, reason: Reason) -> None:
    assert refused(lambda: discard(session, number, OWNER, "w", AT)) is reason


def test_its_messages_are_owed_and_nothing_after_that() -> None:
    after = discarded()
    assert due_jobs(after) == (Job(JobKind.SHOW_DISCARD, ID, 2, 1),)
    shown = discard_shown(after, Discard.DISCARDED)
    assert due_jobs(shown) == ()
    assert discard_shown(shown, Discard.DISCARDED) is shown
    back = undo_discard(shown, OWNER, AT)
    assert due_jobs(back) == (Job(JobKind.SHOW_DISCARD, ID, 2, 2),)
    assert due_jobs(discard_shown(back, Discard.RESTORED)) == ()


def test_a_job_that_showed_the_state_before_records_nothing() -> None:
    back = undo_discard(discarded(), OWNER, AT)
    assert discard_shown(back, Discard.DISCARDED) is back


def test_a_lost_job_has_a_next_run_and_one_that_fails_for_good_is_given_up() -> None:
    after = discarded()
    (job,) = due_jobs(after)
    assert due_jobs(with_next_run(after, job)) == (replace(job, run=2),)
    assert given_up(after, job).discard is Discard.DISCARD_SHOWN


@pytest.mark.parametrize("session", [DRAFT, generating(3), generating(1)])
def test_the_record_tells_who_discarded_and_who_took_it_up_again(session: Session) -> None:
    after = discarded(session)
    told = [(e.kind, e.person) for e in events_between(session, after)]
    assert told[-1] == (RecordKind.DISCARDED, OWNER)
    back = undo_discard(after, STRANGER, AT)
    assert [(e.kind, e.person) for e in events_between(after, back)] == [
        (RecordKind.UNDONE, STRANGER)
    ]
    assert [*events_between(after, discard_shown(after, Discard.DISCARDED))] == []


def test_the_books_do_not_change() -> None:
    after = discarded()
    assert not any(book_changes(DRAFT, after))
    assert not any(book_changes(after, undo_discard(after, OWNER, AT)))


def test_the_books_of_what_was_under_way_change_as_by_cancel() -> None:
    running = generating(3)
    after = discarded(running)
    kept = replace(after, discard=Discard.KEPT)
    assert book_changes(running, after) == book_changes(running, kept)


def test_a_restored_session_that_goes_on_owes_its_work_first() -> None:
    back = undo_discard(discarded(), OWNER, AT)
    approved = approve(back, ImageRef(2), OWNER, AT)
    assert [job.kind for job in due_jobs(approved)] == [JobKind.PUBLISH]


def test_a_cancellation_that_is_shown_is_not_owed_again() -> None:
    after = cancel_shown(discarded(generating(3)), 3)
    assert [job.kind for job in due_jobs(after)] == [JobKind.SHOW_DISCARD]


def test_every_kind_of_job_has_its_queue() -> None:
    assert set(QUEUE_OF) == set(JobKind)
