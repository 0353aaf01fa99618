"""The steps of a session: what each changes, and what it refuses without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain import session as steps
from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.work import Job, JobKind, owed
from tests.fakes import CHANNEL, OWNER, PROMPT, STRANGER, a_session, generating, with_latest

NOW = 500.0
Step = Callable[[Session], Session]

STEPS: dict[str, tuple[Step, set[Stage]]] = {
    "submit": (lambda s: steps.submit(s, PROMPT, NOW), {Stage.INITIAL_INPUT}),
    "regenerate": (lambda s: steps.regenerate(s, len(s.attempts), NOW), {Stage.USER_FEEDBACK}),
    "try_again": (
        lambda s: steps.try_again(s, len(s.attempts), NOW),
        {Stage.USER_FEEDBACK, Stage.INITIAL_INPUT},
    ),
    "try_again_edited": (
        lambda s: steps.try_again(s, len(s.attempts), NOW, "a cat"),
        {Stage.USER_FEEDBACK, Stage.INITIAL_INPUT},
    ),
    "approve": (lambda s: steps.approve(s, len(s.attempts), OWNER, NOW), {Stage.USER_FEEDBACK}),
    "start_over": (lambda s: steps.start_over(s, "T1.U1.next", NOW), {Stage.FINAL}),
    "draft_posted": (
        lambda s: steps.draft_posted(s, len(s.attempts), "9", NOW),
        {Stage.GENERATING},
    ),
    "attempt_failed": (
        lambda s: steps.attempt_failed(s, len(s.attempts), FailureKind.QUOTA, "w", "9", NOW),
        {Stage.GENERATING},
    ),
}


def failed_first(kind: FailureKind = FailureKind.MODERATION) -> Session:
    """A session whose first attempt failed: back to the prompt, with the error."""
    return steps.attempt_failed(generating(), 1, kind, "words", "7.0", NOW)


def in_stage(stage: Stage) -> Session:
    return failed_first() if stage is Stage.INITIAL_INPUT else a_session(stage)


def reason_of(step: Callable[[], object]) -> Reason:
    with pytest.raises(Refusal) as refused:
        step()
    assert refused.value.owner == OWNER
    return refused.value.reason


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("name", list(STEPS))
def test_a_step_is_taken_from_its_stages_alone(name: str, stage: Stage) -> None:
    step, lawful = STEPS[name]
    session = in_stage(stage)
    before = repr(session)
    if stage in lawful:
        assert step(session).stage is not stage
    else:
        expected = {
            Stage.GENERATING: Reason.STILL_WORKING,
            Stage.FINAL: Reason.ALREADY_APPROVED,
        }.get(stage, Reason.MOVED_ON)
        assert reason_of(lambda: step(session)) is expected
    assert repr(session) == before


def test_submit_begins_the_first_attempt_and_clears_the_error() -> None:
    session = steps.submit(a_session(Stage.INITIAL_INPUT, error_message="old"), PROMPT, NOW)
    assert session.stage is Stage.GENERATING
    assert (session.task_input, session.error_message, session.updated_at) == (PROMPT, "", NOW)
    assert [(a.number, a.prompt, a.queued_at) for a in session.attempts] == [(1, PROMPT, NOW)]


def test_regenerate_keeps_the_prompt_and_the_earlier_drafts() -> None:
    before = a_session(attempts=2, error_message="old")
    session = steps.regenerate(before, 2, NOW)
    assert session.attempts[:2] == before.attempts
    assert (session.latest.number, session.latest.prompt) == (3, PROMPT)
    assert session.latest.file_id == ""
    assert session.error_message == ""


def test_try_again_with_another_prompt_changes_the_task_input() -> None:
    session = steps.try_again(failed_first(), 1, NOW, "a cat")
    assert (session.task_input, session.latest.prompt) == ("a cat", "a cat")
    assert session.attempt(1).prompt == PROMPT


def test_try_again_after_a_failed_first_attempt_asks_the_same_once_more() -> None:
    session = steps.try_again(failed_first(), 1, NOW)
    assert session.stage is Stage.GENERATING
    assert (session.latest.number, session.latest.prompt) == (2, PROMPT)
    assert session.error_message == ""


def test_approve_settles_on_the_draft_and_names_who_did() -> None:
    session = steps.approve(a_session(attempts=2), 2, STRANGER, NOW)
    assert (session.stage, session.final_result, session.approved_by) == (Stage.FINAL, 2, STRANGER)


def test_second_approve_changes_nothing() -> None:
    approved = steps.approve(a_session(), 1, OWNER, NOW)
    assert reason_of(lambda: steps.approve(approved, 1, STRANGER, NOW)) is Reason.ALREADY_APPROVED
    assert approved.approved_by == OWNER


@pytest.mark.parametrize("number", [-1, 0, 1, 3, 9999])
def test_a_click_on_any_attempt_but_the_newest_comes_too_late(number: int) -> None:
    session = a_session(attempts=2)
    for step in (
        lambda: steps.approve(session, number, OWNER, NOW),
        lambda: steps.regenerate(session, number, NOW),
        lambda: steps.try_again(session, number, NOW),
        lambda: steps.try_again(session, number, NOW, "a cat"),
    ):
        assert reason_of(step) is Reason.MOVED_ON


def test_no_button_starts_a_session_that_has_no_prompt_yet() -> None:
    session = a_session(Stage.INITIAL_INPUT)
    for number in (0, 1):
        assert reason_of(lambda: steps.try_again(session, number, NOW)) is Reason.MOVED_ON  # noqa: B023


def test_a_failed_attempt_gives_the_earlier_draft_back() -> None:
    session = steps.regenerate(a_session(), 1, NOW)
    failed = steps.attempt_failed(session, 2, FailureKind.QUOTA, "no credit", "8.0", NOW)
    assert (failed.stage, failed.error_message) == (Stage.USER_FEEDBACK, "no credit")
    assert (failed.latest.failure, failed.latest.failure_ts) == (FailureKind.QUOTA, "8.0")
    assert failed.newest_draft == session.attempt(1)
    assert steps.approve(failed, 1, OWNER, NOW).final_result == 1
    assert steps.regenerate(failed, 1, NOW).latest.number == 3
    assert steps.try_again(failed, 2, NOW).latest.number == 3


def test_an_image_approved_after_a_failure_is_still_owed_its_publication() -> None:
    session = steps.regenerate(a_session(), 1, NOW)
    failed = steps.attempt_failed(session, 2, FailureKind.QUOTA, "no credit", "8.0", NOW)
    approved = steps.approve(failed, 1, OWNER, NOW)
    assert approved.error_message == ""
    assert owed(approved) == Job(JobKind.FINISH, approved.id, 1)


def test_a_failed_attempt_cannot_be_approved() -> None:
    session = steps.regenerate(a_session(), 1, NOW)
    failed = steps.attempt_failed(session, 2, FailureKind.QUOTA, "no credit", "8.0", NOW)
    assert reason_of(lambda: steps.approve(failed, 2, OWNER, NOW)) is Reason.MOVED_ON


def test_a_failed_first_attempt_goes_back_to_the_prompt_and_keeps_it() -> None:
    failed = failed_first()
    assert (failed.stage, failed.task_input) == (Stage.INITIAL_INPUT, PROMPT)
    assert failed.error_message == "words"


def test_a_draft_is_recorded_on_its_own_attempt() -> None:
    session = steps.draft_posted(generating(2), 2, "9.9", NOW)
    assert session.stage is Stage.USER_FEEDBACK
    assert [a.message_ts for a in session.attempts] == ["1.5", "9.9"]
    assert session.newest_draft == session.attempt(2)


def test_start_over_leaves_only_whose_it_was_and_where() -> None:
    final = a_session(
        Stage.FINAL,
        attempts=2,
        response_url="https://hooks",
        input_used_by_process=PROMPT,
        final_ts="6.0",
        error_message="x",
    )
    cleared = steps.start_over(final, "T1.U1.next", NOW)
    assert cleared.stage is Stage.INITIAL_INPUT
    assert (cleared.team, cleared.user, cleared.channel) == ("T1", OWNER, CHANNEL)
    assert (cleared.thread_ts, cleared.final_ts) == ("1.0", "6.0")
    empty = (cleared.task_input, cleared.error_message, cleared.input_used_by_process)
    assert empty == ("", "", "")
    assert (cleared.attempts, cleared.final_result, cleared.response_url) == ((), 0, "")
    assert (cleared.approved_by, cleared.restarted_as) == ("", "T1.U1.next")


def test_start_over_for_the_same_successor_again_changes_nothing() -> None:
    cleared = steps.start_over(a_session(Stage.FINAL), "T1.U1.next", NOW)
    assert steps.start_over(cleared, "T1.U1.next", NOW + 1) is cleared


def test_start_over_for_another_successor_comes_too_late() -> None:
    cleared = steps.start_over(a_session(Stage.FINAL), "T1.U1.next", NOW)
    assert reason_of(lambda: steps.start_over(cleared, "T1.U1.other", NOW)) is Reason.STARTED_OVER


def test_the_newest_draft_is_the_last_one_that_was_posted() -> None:
    assert a_session(Stage.INITIAL_INPUT).newest_draft is None
    assert generating().newest_draft is None
    running = generating(3)
    assert running.newest_draft == running.attempt(2)


def test_seconds_are_the_providers_and_never_negative() -> None:
    assert a_session().latest.seconds == pytest.approx(12.4)
    assert with_latest(generating(), started_at=5.0).latest.seconds == 0.0


def test_with_attempt_replaces_the_one_of_its_number_alone() -> None:
    session = a_session(attempts=3)
    changed = steps.with_attempt(session, replace(session.attempt(2), file_id="F9"))
    assert [a.file_id for a in changed.attempts] == ["F1", "F9", "F3"]
