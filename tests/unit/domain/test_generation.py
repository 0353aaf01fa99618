"""What is recorded while an attempt is generated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import MAX_PAID_CALLS, Attempt, Candidate, ImageRef, Source
from bot.domain.begin import edit, try_again
from bot.domain.errors import PaidCallLimitReached
from bot.domain.failures import UNUSABLE_SOURCE, FailureKind
from bot.domain.generation import (
    announced,
    image_expired,
    image_failed,
    image_made,
    is_current_run,
    is_delivery_run,
    is_generating,
    most_telling_failure,
    paid_call_counted,
    preview_removed,
    preview_shown,
    record_candidate,
    shared_as_files,
    started,
    was_cancelled,
)
from bot.domain.options import NO_OPTIONS
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from tests.fakes import IMAGE, a_candidate, a_session, an_attempt, generating, with_latest

REF = ImageRef(1)


def of(images: int = 1, **first: Any) -> Session:
    attempt = an_attempt(images=images)
    return with_attempt(
        generating(), attempt.with_candidate(replace(attempt.candidate(1), **first))
    )


def test_an_announced_attempt_has_its_root_message_once() -> None:
    session = with_latest(generating(root_ts="", thread_ts=""), announced=False)
    first = announced(session, 1, "1.5")
    assert (first.root_ts, first.thread_ts, first.latest.announced) == ("1.5", "1.5", True)
    assert announced(first, 1, "2.5") == first


def test_a_root_message_in_a_thread_leaves_the_thread_as_it_is() -> None:
    session = announced(generating(root_ts="", thread_ts="0.5"), 1, "1.5")
    assert (session.root_ts, session.thread_ts) == ("1.5", "0.5")


def test_of_an_attempt_that_was_cancelled_the_root_message_is_kept_all_the_same() -> None:
    session = replace(generating(root_ts=""), stage=Stage.INITIAL_INPUT)
    session = with_latest(session, announced=False)
    now = announced(session, 1, "1.5")
    assert (now.root_ts, now.latest.announced) == ("1.5", False)


def test_the_run_that_began_last_leads() -> None:
    first = started(of(2), REF, "a", 5.0)
    second = started(first, REF, "b", 6.0)
    assert second.latest.started_at == 5.0
    assert [is_current_run(second, REF, run_id) for run_id in ("a", "b")] == [False, True]
    assert is_current_run(second, ImageRef(1, 2), "a"), "no run of it has begun"


def test_no_run_leads_an_attempt_that_nobody_waits_for() -> None:
    over = replace(of(), stage=Stage.INITIAL_INPUT)
    assert started(over, REF, "a", 5.0) == over
    assert not is_current_run(over, REF, "")
    assert not is_current_run(generating(2), REF, "")


def test_the_candidate_that_is_made_last_delivers() -> None:
    session = image_made(of(3), ImageRef(1, 2), IMAGE, 7.0)
    session = image_failed(session, REF, "", FailureKind.TIMED_OUT, "", 8.0)
    assert (session.latest.delivery_candidate, session.latest.generated_at) == (0, 0.0)
    session = image_made(session, ImageRef(1, 3), IMAGE, 9.0)
    assert (session.latest.delivery_candidate, session.latest.generated_at) == (3, 9.0)
    assert is_delivery_run(session, ImageRef(1, 3), "any")
    assert not is_delivery_run(session, ImageRef(1, 2), "any")


def test_who_delivers_stays_the_same() -> None:
    session = image_made(of(), REF, IMAGE, 7.0)
    assert image_made(session, REF, IMAGE, 8.0) == session


def test_where_no_candidate_came_nothing_is_generated() -> None:
    session = image_failed(of(), REF, "", FailureKind.DECLINED, "no", 7.0)
    assert (session.latest.delivery_candidate, session.latest.generated_at) == (1, 0.0)


def test_an_image_counts_more_than_a_failure_before() -> None:
    failed = image_failed(of(2), REF, "", FailureKind.DECLINED, "no", 7.0)
    (candidate, _) = image_made(failed, REF, IMAGE, 8.0).latest.candidates
    assert (candidate.failure, candidate.said, candidate.has_image) == (None, "", True)


@pytest.mark.parametrize(
    "session",
    [
        with_latest(of(file_id="F1", width=1), delivery_candidate=1),
        with_latest(of(width=1), message_ts="7.7", delivery_candidate=1),
        replace(of(), stage=Stage.INITIAL_INPUT, attempts=()),
    ],
    ids=["in Slack", "in a draft", "started over"],
)
def test_what_comes_too_late_changes_nothing(session: Session) -> None:
    assert record_candidate(session, REF, response_id="late") == session
    assert image_failed(session, REF, "", FailureKind.TIMED_OUT, "", 1.0) == session


def test_the_failure_of_a_run_that_was_overtaken_loses_no_image() -> None:
    """A was stalled beyond its lease; B took its place and asked."""
    session = of(2, paid_calls=2, paid_by_run="B", run_id="B")
    assert image_failed(session, REF, "A", FailureKind.TIMED_OUT, "", 7.0) == session
    made = image_made(session, REF, IMAGE, 8.0)
    assert image_failed(made, REF, "A", FailureKind.TIMED_OUT, "", 9.0) == made
    assert image_failed(made, REF, "B", FailureKind.TIMED_OUT, "", 9.0) == made


def test_the_failure_of_the_run_that_asked_counts_while_another_one_waits_for_it() -> None:
    session = of(paid_calls=1, paid_by_run="A", run_id="B")
    failed = image_failed(session, REF, "A", FailureKind.MODERATION, "no", 7.0)
    assert failed.latest.candidate(1).failure is FailureKind.MODERATION


def test_what_comes_of_a_cancelled_attempt_is_kept_and_delivers_nothing() -> None:
    session = with_latest(of(), failure=FailureKind.CANCELLED)
    session = image_made(replace(session, stage=Stage.INITIAL_INPUT), REF, IMAGE, 7.0)
    assert session.latest.candidate(1).has_image
    assert session.latest.delivery_candidate == 0


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ((Candidate(1), Candidate(2)), 1),
        ((Candidate(1), Candidate(2, run_id="a")), 2),
        ((a_candidate(1), Candidate(2)), 2),
        ((Candidate(1, failure=FailureKind.TIMED_OUT, run_id="a"), Candidate(2, run_id="b")), 2),
        ((a_candidate(1), a_candidate(2)), 1),
    ],
    ids=["none begun", "the second begun", "the first made", "the first failed", "all made"],
)
def test_one_candidate_shows_how_the_attempt_stands(
    candidates: tuple[Candidate, ...], expected: int
) -> None:
    assert an_attempt(candidates=candidates).status_candidate == expected
    assert an_attempt(candidates=candidates, delivery_candidate=2).status_candidate == 2


def test_an_image_that_expired_is_made_again_and_the_last_one_made_delivers() -> None:
    made = with_latest(of(1, width=9, height=9), delivery_candidate=1, generated_at=5.0)
    expired = image_expired(made, REF)
    assert (expired.latest.candidate(1).is_made, expired.latest.delivery_candidate) == (False, 0)
    again = image_made(expired, REF, IMAGE, 9.0).latest
    assert (again.delivery_candidate, again.generated_at) == (1, 5.0)


@pytest.mark.parametrize(
    "session",
    [
        of(width=9, height=9, file_id="F1"),
        of(failure=FailureKind.MODERATION),
        replace(of(width=9, height=9), stage=Stage.INITIAL_INPUT),
    ],
    ids=["in Slack", "no image", "cancelled"],
)
def test_only_an_image_that_is_still_to_be_uploaded_is_made_again(session: Session) -> None:
    assert image_expired(session, REF) == session


def test_a_preview_is_recorded_until_it_is_gone() -> None:
    shown = preview_shown(generating(), 1, "7.7")
    assert shown.latest.preview_ts == "7.7"
    assert preview_removed(shown, 1, "6.6") == shown
    assert preview_removed(shown, 1, "7.7").latest.preview_ts == ""
    assert preview_shown(generating(), 2, "7.7") == preview_removed(generating(), 2, "7.7")


def test_images_that_were_shared_as_files_are_recorded_while_they_are_waited_for() -> None:
    assert shared_as_files(generating(), 1).latest.as_file
    assert shared_as_files(a_session(), 1) == a_session()


def test_the_most_telling_failure_is_told_with_the_models_words() -> None:
    candidates = (
        Candidate(1, failure=FailureKind.TIMED_OUT),
        Candidate(2, failure=FailureKind.DECLINED, said="I'd rather not."),
        a_candidate(3),
    )
    attempt = an_attempt(candidates=candidates)
    assert most_telling_failure(attempt) == (FailureKind.DECLINED, "I'd rather not.", ())
    assert most_telling_failure(an_attempt()) == (FailureKind.INTERNAL, "", ())


def test_whether_an_attempt_is_under_way_or_cancelled() -> None:
    assert [is_generating(generating(2), number) for number in (1, 2, 3)] == [False, True, False]
    assert not is_generating(a_session(), 1)
    cancelled = with_latest(generating(2), failure=FailureKind.CANCELLED)
    assert [was_cancelled(cancelled, number) for number in (1, 2, 3)] == [False, True, False]


# paid calls


def test_the_same_call_is_counted_once() -> None:
    session = of(run_id="a")
    once = paid_call_counted(session, REF, "a", 0)
    assert once.latest.candidate(1).paid_calls == 1
    assert paid_call_counted(once, REF, "a", 0) == once
    assert paid_call_counted(once, REF, "a", 1).latest.candidate(1).paid_calls == 2


def test_a_run_that_does_not_lead_counts_nothing() -> None:
    session = of(run_id="b")
    assert paid_call_counted(session, REF, "a", 0) == session


def test_the_fourth_call_is_refused() -> None:
    spent = of(paid_calls=MAX_PAID_CALLS, paid_by_run="a", run_id="b")
    with pytest.raises(PaidCallLimitReached):
        paid_call_counted(spent, REF, "b", MAX_PAID_CALLS)


def test_a_call_leaves_the_response_of_before_behind() -> None:
    session = of(paid_calls=1, paid_by_run="a", response_id="resp_1", run_id="b")
    now = paid_call_counted(session, REF, "b", 1).latest.candidate(1)
    assert (now.response_id, now.awaits_answer) == ("", True)


# a picture that stops workers


BROUGHT = Attempt(1, "night", change="night", base=ImageRef(0))
STOPPED = replace(BROUGHT, failure=FailureKind.SOURCE_STOPS_WORKERS)
UNUSABLE = [replace(BROUGHT, failure=kind) for kind in sorted(UNUSABLE_SOURCE)]
FROM_PICTURE = replace(a_session(Stage.INITIAL_INPUT), source=Source("F1"))


def test_edit_prompt_starts_without_a_picture_that_cannot_be_used() -> None:
    assert STOPPED in UNUSABLE
    for failed, base in ((BROUGHT, ImageRef(0)), *((failed, None) for failed in UNUSABLE)):
        session = replace(FROM_PICTURE, attempts=(failed,))
        edited = edit(session, 1, "a fox", NO_OPTIONS, 1.0).latest
        assert (edited.prompt, edited.base) == ("a fox", base)
        assert edited.change == ("a fox" if base else "")


def test_try_again_means_the_same_picture() -> None:
    session = replace(FROM_PICTURE, attempts=(STOPPED,))
    assert try_again(session, 1, 1.0).latest.base == ImageRef(0)
