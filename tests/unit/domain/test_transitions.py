"""What a session may do now, what each transition changes, and what it refuses without a change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain import begin, generation, transitions
from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.jobs import Job, JobKind, due_jobs
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import IN_PROGRESS, Session, with_attempt
from bot.domain.slack_refusals import NOT_ANNOUNCED
from bot.domain.stages import TRANSITIONS, Event, Stage
from tests.fakes import (
    OWNER,
    PROMPT,
    STRANGER,
    a_session,
    an_attempt,
    generating,
    with_latest,
)

NOW = 500.0
WIDE = Options(size="1792x1008", quality="high", background="opaque", count=3)
Step = Callable[[Session], Session]


def newest(session: Session) -> ImageRef:
    return ImageRef(len(session.attempts))


STEPS: dict[str, tuple[Step, set[Stage]]] = {
    "submit": (lambda s: begin.submit(s, PROMPT, NOW), {Stage.INITIAL_INPUT}),
    "regenerate": (lambda s: begin.regenerate(s, len(s.attempts), NOW), {Stage.USER_FEEDBACK}),
    "refine": (lambda s: begin.refine(s, newest(s), "night", NOW), {Stage.USER_FEEDBACK}),
    "edit": (
        lambda s: begin.edit(s, len(s.attempts), "a cat", WIDE, NOW),
        {Stage.USER_FEEDBACK, Stage.INITIAL_INPUT},
    ),
    "try_again": (
        lambda s: begin.try_again(s, len(s.attempts), NOW),
        {Stage.USER_FEEDBACK, Stage.INITIAL_INPUT},
    ),
    "approve": (lambda s: transitions.approve(s, newest(s), OWNER, NOW), {Stage.USER_FEEDBACK}),
    "use_earlier": (
        lambda s: transitions.use_earlier(s, newest(s), OWNER, NOW),
        {Stage.USER_FEEDBACK},
    ),
    "cancel": (lambda s: transitions.cancel(s, len(s.attempts), "w", NOW), {Stage.GENERATING}),
    "draft_posted": (
        lambda s: generation.draft_posted(s, len(s.attempts), "9", NOW),
        {Stage.GENERATING},
    ),
    "attempt_failed": (
        lambda s: generation.attempt_failed(s, len(s.attempts), FailureKind.QUOTA, "w", "9", NOW),
        {Stage.GENERATING},
    ),
}
"""Name → the step about the newest attempt, and the stages in which it is lawful."""


def failed_first(kind: FailureKind = FailureKind.MODERATION) -> Session:
    """A session whose first attempt failed: back to the prompt, with the error."""
    return generation.attempt_failed(generating(), 1, kind, "words", "7.0", NOW)


def failed_second() -> Session:
    """A session with a draft, whose second attempt failed."""
    session = begin.regenerate(a_session(), 1, NOW)
    return generation.attempt_failed(session, 2, FailureKind.QUOTA, "no credit", "8.0", NOW)


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
        moved = step(session)
        assert moved.stage is not stage
        assert moved.updated_at == NOW
    else:
        expected = {
            Stage.GENERATING: Reason.STILL_WORKING,
            Stage.FINAL: Reason.ALREADY_APPROVED,
        }.get(stage, Reason.MOVED_ON)
        if name == "cancel":
            expected = Reason.NOTHING_TO_CANCEL
        assert reason_of(lambda: step(session)) is expected
    assert repr(session) == before


def test_the_steps_take_every_event_of_the_table() -> None:
    events = {event for row in TRANSITIONS.values() for event in row}
    named = {Event.GENERATED: "draft_posted", Event.FAILED: "attempt_failed"}
    assert {named.get(event, event.value) for event in events} <= set(STEPS)


@pytest.mark.parametrize("number", [-1, 0, 1, 3, 9999])
def test_a_click_on_any_attempt_but_the_newest_comes_too_late(number: int) -> None:
    session = a_session(attempts=2)
    for step in (
        lambda: transitions.approve(session, ImageRef(number), OWNER, NOW),
        lambda: begin.regenerate(session, number, NOW),
        lambda: begin.try_again(session, number, NOW),
        lambda: begin.edit(session, number, "a cat", NO_OPTIONS, NOW),
    ):
        assert reason_of(step) is Reason.MOVED_ON


@pytest.mark.parametrize("number", [-1, 0, 1, 3, 9999])
def test_a_result_of_any_attempt_but_the_running_one_comes_too_late(number: int) -> None:
    session = generating(2)
    for step in (
        lambda: generation.draft_posted(session, number, "9", NOW),
        lambda: generation.attempt_failed(session, number, FailureKind.QUOTA, "w", "9", NOW),
        lambda: transitions.cancel(session, number, "w", NOW),
    ):
        assert reason_of(step) is Reason.MOVED_ON


@pytest.mark.parametrize("number", [0, 1])
def test_no_button_starts_a_session_that_has_no_prompt_yet(number: int) -> None:
    session = a_session(Stage.INITIAL_INPUT)
    assert reason_of(lambda: begin.try_again(session, number, NOW)) is Reason.MOVED_ON
    assert reason_of(lambda: begin.edit(session, number, "x", WIDE, NOW)) is Reason.MOVED_ON


# approve


def test_approve_names_the_draft_and_who_approved() -> None:
    session = transitions.approve(a_session(attempts=2), ImageRef(2), STRANGER, NOW)
    assert (session.stage, session.final_result, session.approved_by) == (Stage.FINAL, 2, STRANGER)
    assert session.final_image == ImageRef(2)


def test_approving_one_candidate_ends_the_review() -> None:
    before = replace(a_session(), attempts=(an_attempt(posted=True, images=3),))
    session = transitions.approve(before, ImageRef(1, 3), OWNER, NOW)
    assert (session.final_image, session.stage) == (ImageRef(1, 3), Stage.FINAL)
    late = reason_of(lambda: transitions.approve(session, ImageRef(1, 2), OWNER, NOW))
    assert late is Reason.ALREADY_APPROVED


def test_second_approve_changes_nothing() -> None:
    approved = transitions.approve(a_session(), ImageRef(1), OWNER, NOW)
    for step in (transitions.approve, transitions.use_earlier):
        late = reason_of(lambda: step(approved, ImageRef(1), STRANGER, NOW))  # noqa: B023
        assert late is Reason.ALREADY_APPROVED
    assert approved.approved_by == OWNER


def test_prompt_and_options_are_those_of_the_image_that_was_approved() -> None:
    edited = begin.edit(a_session(), 1, "a cat", WIDE, NOW)
    session = generation.draft_posted(edited, 2, "2.5", NOW)
    assert (session.task_input, session.options) == ("a cat", WIDE)
    used = transitions.use_earlier(session, ImageRef(1), OWNER, NOW)
    assert (used.task_input, used.options) == (PROMPT, NO_OPTIONS)


def test_an_earlier_draft_can_be_used_until_one_is_approved() -> None:
    session = a_session(attempts=3)
    used = transitions.use_earlier(session, ImageRef(1), OWNER, NOW)
    assert (used.stage, used.final_image, used.approved_by) == (Stage.FINAL, ImageRef(1), OWNER)
    assert due_jobs(used) == (Job(JobKind.PUBLISH, session.id, 1),)
    running = generating(3)
    late = reason_of(lambda: transitions.use_earlier(running, ImageRef(1), OWNER, NOW))
    assert late is Reason.STILL_WORKING


@pytest.mark.parametrize("image", [ImageRef(0), ImageRef(4), ImageRef(1, 2), ImageRef(-2)])
def test_an_image_that_is_not_there_cannot_be_used(image: ImageRef) -> None:
    session = a_session(attempts=3)
    late = reason_of(lambda: transitions.use_earlier(session, image, OWNER, NOW))
    assert late is Reason.MOVED_ON


def test_of_an_earlier_draft_the_approve_button_comes_too_late() -> None:
    session = a_session(attempts=2)
    late = reason_of(lambda: transitions.approve(session, ImageRef(1), OWNER, NOW))
    assert late is Reason.MOVED_ON
    assert transitions.use_earlier(session, ImageRef(1), OWNER, NOW).final_result == 1


# failures


def test_a_failed_attempt_gives_the_earlier_draft_back() -> None:
    failed = failed_second()
    assert (failed.stage, failed.error_message) == (Stage.USER_FEEDBACK, "no credit")
    assert (failed.latest.failure, failed.latest.failure_ts) == (FailureKind.QUOTA, "8.0")
    assert failed.newest_draft == failed.attempt(1)
    assert transitions.approve(failed, ImageRef(1), OWNER, NOW).final_result == 1
    assert begin.regenerate(failed, 1, NOW).latest.number == 3
    assert begin.refine(failed, ImageRef(1), "night", NOW).latest.number == 3
    assert begin.edit(failed, 1, "a cat", WIDE, NOW).latest.number == 3
    assert begin.edit(failed, 2, "a cat", WIDE, NOW).latest.number == 3
    assert begin.try_again(failed, 2, NOW).latest.number == 3


def test_an_image_approved_after_a_failure_is_still_owed_its_publication() -> None:
    approved = transitions.approve(failed_second(), ImageRef(1), OWNER, NOW)
    assert approved.error_message == ""
    assert due_jobs(approved) == (Job(JobKind.PUBLISH, approved.id, 1),)


def test_a_failed_attempt_cannot_be_approved() -> None:
    failed = failed_second()
    late = reason_of(lambda: transitions.approve(failed, ImageRef(2), OWNER, NOW))
    assert late is Reason.MOVED_ON


def test_a_failed_first_attempt_goes_back_to_the_prompt_and_keeps_it() -> None:
    failed = failed_first()
    assert (failed.stage, failed.task_input) == (Stage.INITIAL_INPUT, PROMPT)
    assert failed.error_message == "words"
    assert failed.stage not in IN_PROGRESS


def test_a_draft_is_recorded_on_its_own_attempt() -> None:
    session = generation.draft_posted(generating(2), 2, "9.9", NOW)
    assert session.stage is Stage.USER_FEEDBACK
    assert [a.message_ts for a in session.attempts] == ["1.5", "9.9"]
    assert session.newest_draft == session.attempt(2)


# cancelling


def test_a_cancelled_first_attempt_goes_back_to_the_prompt() -> None:
    session = transitions.cancel(generating(), 1, "cancelled", NOW)
    assert (session.stage, session.error_message) == (Stage.INITIAL_INPUT, "cancelled")
    assert session.latest.cancelled
    assert session.latest.failure_ts == ""
    again = begin.try_again(session, 1, NOW)
    assert (again.latest.number, again.latest.prompt, again.error_message) == (2, PROMPT, "")
    assert begin.edit(session, 1, "a cat", WIDE, NOW).latest.prompt == "a cat"


def test_a_cancelled_later_attempt_gives_the_earlier_draft_back() -> None:
    session = transitions.cancel(generating(2), 2, "cancelled", NOW)
    assert session.stage is Stage.USER_FEEDBACK
    assert session.newest_draft == session.attempt(1)
    assert transitions.approve(session, ImageRef(1), OWNER, NOW).error_message == ""
    assert begin.regenerate(session, 1, NOW).latest.number == 3
    assert begin.refine(session, ImageRef(1), "night", NOW).latest.number == 3
    assert begin.try_again(session, 2, NOW).latest.number == 3


def test_images_that_came_before_a_cancel_are_not_shown() -> None:
    halfway = with_attempt(generating(), an_attempt(posted=True, images=2, message_ts=""))
    session = transitions.cancel(halfway, 1, "cancelled", NOW)
    assert session.newest_draft is None
    assert not session.shows(ImageRef(1))
    late = reason_of(lambda: generation.draft_posted(session, 1, "9", NOW))
    assert late is Reason.MOVED_ON


@pytest.mark.parametrize("number", [1, 2])
def test_a_second_cancel_finds_nothing_to_cancel(number: int) -> None:
    session = transitions.cancel(generating(number), number, "cancelled", NOW)
    late = reason_of(lambda: transitions.cancel(session, number, "cancelled", NOW))
    assert late is Reason.NOTHING_TO_CANCEL


def test_a_cancel_of_an_older_attempt_leaves_the_running_one_alone() -> None:
    cancelled = transitions.cancel(generating(), 1, "cancelled", NOW)
    again = begin.try_again(cancelled, 1, NOW)
    late = reason_of(lambda: transitions.cancel(again, 1, "cancelled", NOW))
    assert late is Reason.MOVED_ON


@pytest.mark.parametrize("root_ts", ["1.0", ""])
def test_that_a_cancel_is_shown_is_recorded_also_where_nothing_was_posted_yet(root_ts: str) -> None:
    session = transitions.cancel(replace(generating(), root_ts=root_ts), 1, "cancelled", NOW)
    shown = transitions.cancel_shown(session, 1)
    assert (shown.latest.cancel_shown, shown.latest.failure_ts) == (True, "")
    assert due_jobs(shown) == ()
    assert shown == with_latest(session, cancel_shown=True)


@pytest.mark.parametrize("kind", sorted(NOT_ANNOUNCED))
def test_try_again_still_works_after_attempts_that_could_not_be_announced(
    kind: FailureKind,
) -> None:
    """They have no message, so the older button is the only one there is."""
    session = failed_first()
    for number in (2, 3):
        session = begin.try_again(session, 1, 5.0)
        assert session.latest.number == number
        session = generation.attempt_failed(session, number, kind, "words", "", 6.0)
    assert begin.try_again(session, 1, 7.0).latest.number == 4


def test_try_again_comes_too_late_once_a_newer_attempt_has_a_message() -> None:
    session = begin.try_again(failed_first(), 1, 5.0)
    session = generation.attempt_failed(session, 2, FailureKind.NOT_SHOWN, "words", "9.9", 6.0)
    with pytest.raises(Refusal):
        begin.try_again(session, 1, 7.0)


# what a session may do

SESSIONS: dict[str, Session] = {
    "waits": a_session(Stage.INITIAL_INPUT),
    "generating": generating(2),
    "draft": a_session(attempts=2),
    "failed later": generation.attempt_failed(
        generating(2), 2, FailureKind.TIMED_OUT, "w", "", NOW
    ),
    "approved": a_session(Stage.FINAL),
}
BY_EVENT: dict[Event, Callable[[Session], Session]] = {
    Event.SUBMIT: lambda s: begin.submit(s, "a cat", NOW),
    Event.GENERATED: lambda s: generation.draft_posted(s, len(s.attempts), "8.0", NOW),
    Event.FAILED: lambda s: generation.attempt_failed(
        s, len(s.attempts), FailureKind.QUOTA, "w", "8.0", NOW
    ),
    Event.CANCEL: lambda s: transitions.cancel(s, len(s.attempts), "w", NOW),
    Event.APPROVE: lambda s: transitions.use_earlier(s, ImageRef(1), OWNER, NOW),
    Event.REGENERATE: lambda s: begin.regenerate(s, len(s.attempts), NOW),
    Event.REFINE: lambda s: begin.refine(s, ImageRef(1), "night", NOW),
    Event.EDIT: lambda s: transitions.move(s, Event.EDIT, NOW),
}
every_session = pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())


def test_there_is_a_step_for_every_event() -> None:
    assert BY_EVENT.keys() == set(Event)


@every_session
@pytest.mark.parametrize("event", Event)
def test_a_session_can_do_exactly_what_its_step_does(session: Session, event: Event) -> None:
    refused = refusal(lambda: BY_EVENT[event](session))
    assert transitions.can(session, event) == (refused is None)
    if refused is not Reason.NOTHING_TO_CANCEL:  # the one step that has a reason of its own
        assert refusal(lambda: transitions.check_can(session, event)) is refused


@every_session
def test_a_session_can_do_what_the_table_has(session: Session) -> None:
    wanted = frozenset(TRANSITIONS[session.stage])
    assert {event for event in Event if transitions.can(session, event)} == wanted


@pytest.mark.parametrize(("number", "live"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_newest_draft_and_the_newest_failure_have_live_buttons(number: int, live: bool) -> None:
    failed = generation.attempt_failed(
        begin.regenerate(a_session(attempts=2), 2, NOW), 3, FailureKind.QUOTA, "w", "9.0", NOW
    )
    asked = refusal(lambda: transitions.check_current(failed, Event.REGENERATE, number))
    assert asked == (None if live else Reason.MOVED_ON)


def refusal(work: Callable[[], object]) -> Reason | None:
    try:
        work()
    except Refusal as refused:
        return refused.reason
    return None
