"""The steps of a session: what each changes, and what it refuses without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain import begin, steps
from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.ending import retired
from bot.domain.errors import NOT_ANNOUNCED, FailureKind, Reason, Refusal
from bot.domain.jobs import Job, JobKind, owed
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.publication import Publication
from bot.domain.session import Session, with_attempt
from bot.domain.stages import TRANSITIONS, Event, Stage
from tests.fakes import (
    CHANNEL,
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
    "approve": (lambda s: steps.approve(s, newest(s), OWNER, NOW), {Stage.USER_FEEDBACK}),
    "use_earlier": (lambda s: steps.use_earlier(s, newest(s), OWNER, NOW), {Stage.USER_FEEDBACK}),
    "cancel": (lambda s: steps.cancel(s, len(s.attempts), "w", NOW), {Stage.GENERATING}),
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
"""Name → the step about the newest attempt, and the stages in which it is lawful."""


def failed_first(kind: FailureKind = FailureKind.MODERATION) -> Session:
    """A session whose first attempt failed: back to the prompt, with the error."""
    return steps.attempt_failed(generating(), 1, kind, "words", "7.0", NOW)


def failed_second() -> Session:
    """A session with a draft, whose second attempt failed."""
    session = begin.regenerate(a_session(), 1, NOW)
    return steps.attempt_failed(session, 2, FailureKind.QUOTA, "no credit", "8.0", NOW)


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
        lambda: steps.approve(session, ImageRef(number), OWNER, NOW),
        lambda: begin.regenerate(session, number, NOW),
        lambda: begin.try_again(session, number, NOW),
        lambda: begin.edit(session, number, "a cat", NO_OPTIONS, NOW),
    ):
        assert reason_of(step) is Reason.MOVED_ON


@pytest.mark.parametrize("number", [-1, 0, 1, 3, 9999])
def test_a_result_of_any_attempt_but_the_running_one_comes_too_late(number: int) -> None:
    session = generating(2)
    for step in (
        lambda: steps.draft_posted(session, number, "9", NOW),
        lambda: steps.attempt_failed(session, number, FailureKind.QUOTA, "w", "9", NOW),
        lambda: steps.cancel(session, number, "w", NOW),
    ):
        assert reason_of(step) is Reason.MOVED_ON


@pytest.mark.parametrize("number", [0, 1])
def test_no_button_starts_a_session_that_has_no_prompt_yet(number: int) -> None:
    session = a_session(Stage.INITIAL_INPUT)
    assert reason_of(lambda: begin.try_again(session, number, NOW)) is Reason.MOVED_ON
    assert reason_of(lambda: begin.edit(session, number, "x", WIDE, NOW)) is Reason.MOVED_ON


# submit


def test_submit_begins_the_first_attempt_and_clears_the_error() -> None:
    session = begin.submit(a_session(Stage.INITIAL_INPUT, error_message="old"), PROMPT, NOW, WIDE)
    assert session.stage is Stage.GENERATING
    assert (session.task_input, session.error_message, session.updated_at) == (PROMPT, "", NOW)
    assert [(a.number, a.prompt, a.queued_at) for a in session.attempts] == [(1, PROMPT, NOW)]
    assert session.options == session.latest.options == WIDE
    assert (session.latest.base, session.latest.change) == (None, "")
    assert [c.number for c in session.latest.candidates] == [1, 2, 3]


def test_a_picture_is_edited_by_the_first_prompt() -> None:
    session = begin.submit(a_session(Stage.INITIAL_INPUT), "a hat", NOW, source=Source("F7"))
    assert session.source == Source("F7")
    assert (session.latest.base, session.latest.change) == (ImageRef(0), "a hat")
    assert session.changes_up_to(ImageRef(1)) == ("a hat",)


def test_a_picture_that_waited_for_its_prompt_is_edited_by_it() -> None:
    waiting = a_session(Stage.INITIAL_INPUT, source=Source("F7"))
    session = begin.submit(waiting, "a hat", NOW)
    assert session.source == Source("F7")
    assert (session.latest.base, session.latest.change) == (ImageRef(0), "a hat")


# regenerate and try again


def test_regenerate_keeps_the_prompt_and_the_earlier_drafts() -> None:
    before = a_session(attempts=2, error_message="old")
    session = begin.regenerate(before, 2, NOW)
    assert session.attempts[:2] == before.attempts
    assert (session.latest.number, session.latest.prompt) == (3, PROMPT)
    assert session.latest.candidates == (Candidate(1),)
    assert session.error_message == ""


def test_regenerate_asks_for_as_many_candidates_with_the_same_options() -> None:
    before = with_latest(a_session(), options=WIDE)
    session = begin.regenerate(before, 1, NOW)
    assert session.latest.options == session.options == WIDE
    assert session.latest.candidates == (Candidate(1), Candidate(2), Candidate(3))


def test_regenerate_of_a_refined_draft_makes_the_same_change_to_the_same_image() -> None:
    refined = begin.refine(a_session(), ImageRef(1), "night", NOW)
    posted = steps.draft_posted(refined, 2, "2.5", NOW)
    again = begin.regenerate(posted, 2, NOW)
    assert (again.latest.number, again.latest.base) == (3, ImageRef(1))
    assert again.latest.change == "night"


def test_a_new_attempt_takes_over_nothing_that_came_of_the_old_one() -> None:
    old = an_attempt(
        posted=True, run=3, as_file=True, preview_ts="5.5", failure_ts="6.6", asked_by="E1"
    )
    session = begin.regenerate(replace(a_session(), attempts=(old,)), 1, NOW)
    assert session.latest == Attempt(2, PROMPT, old.options, queued_at=NOW)


def test_try_again_after_a_failed_first_attempt_asks_the_same_once_more() -> None:
    session = begin.try_again(failed_first(), 1, NOW)
    assert session.stage is Stage.GENERATING
    assert (session.latest.number, session.latest.prompt) == (2, PROMPT)
    assert session.error_message == ""


def test_try_again_after_a_failed_refinement_makes_the_same_change() -> None:
    refined = begin.refine(a_session(), ImageRef(1), "night", NOW)
    failed = steps.attempt_failed(refined, 2, FailureKind.PROVIDER_DOWN, "w", "8.0", NOW)
    again = begin.try_again(failed, 2, NOW)
    assert (again.latest.number, again.latest.base) == (3, ImageRef(1))
    assert again.latest.change == "night"


# refine


def test_refine_edits_the_image_it_was_asked_about() -> None:
    before = a_session(attempts=2)
    session = begin.refine(before, ImageRef(1), "friendlier cat", NOW)
    assert session.stage is Stage.GENERATING
    assert session.attempts[:2] == before.attempts
    refined = session.latest
    assert (refined.number, refined.base, refined.change) == (3, ImageRef(1), "friendlier cat")
    assert (refined.prompt, session.task_input) == (PROMPT, PROMPT)
    assert session.changes_up_to(ImageRef(3)) == ("friendlier cat",)


def test_refine_makes_one_candidate_whatever_number_there_were() -> None:
    before = replace(
        a_session(), attempts=(an_attempt(posted=True, images=3, options=WIDE),), options=WIDE
    )
    session = begin.refine(before, ImageRef(1, 3), "night", NOW)
    assert session.latest.base == ImageRef(1, 3)
    assert session.latest.candidates == (Candidate(1),)
    assert session.latest.options == WIDE.replace(count=0)


def test_refine_takes_options_of_its_own_over_those_of_the_image() -> None:
    before = with_latest(a_session(), options=WIDE)
    mine = Options(quality="low", count=2)
    session = begin.refine(before, ImageRef(1), "night", NOW, options=mine)
    assert session.latest.options == WIDE.replace(quality="low", count=2)
    assert session.latest.candidates == (Candidate(1), Candidate(2))


@pytest.mark.parametrize(
    "image",
    [ImageRef(0), ImageRef(2), ImageRef(1, 2), ImageRef(1, 0), ImageRef(-1), ImageRef(9, 4)],
)
def test_refine_of_an_image_that_is_not_there_is_refused(image: ImageRef) -> None:
    session = a_session()
    assert reason_of(lambda: begin.refine(session, image, "night", NOW)) is Reason.MOVED_ON


def test_a_candidate_that_failed_can_neither_be_refined_nor_approved() -> None:
    first = an_attempt(posted=True, images=2)
    first = first.with_candidate(Candidate(2, failure=FailureKind.MODERATION))
    session = replace(a_session(), attempts=(first,))
    failed, came = ImageRef(1, 2), ImageRef(1, 1)
    assert reason_of(lambda: begin.refine(session, failed, "x", NOW)) is Reason.MOVED_ON
    assert reason_of(lambda: steps.approve(session, failed, OWNER, NOW)) is Reason.MOVED_ON
    assert reason_of(lambda: steps.use_earlier(session, failed, OWNER, NOW)) is Reason.MOVED_ON
    assert steps.approve(session, came, OWNER, NOW).final_image == came


# edit


def test_edit_begins_afresh_with_another_prompt_and_other_options() -> None:
    refined = begin.refine(a_session(), ImageRef(1), "night", NOW)
    posted = steps.draft_posted(refined, 2, "2.5", NOW)
    session = begin.edit(posted, 2, "a cat", WIDE, NOW)
    assert (session.task_input, session.options) == ("a cat", WIDE)
    assert (session.latest.number, session.latest.prompt) == (3, "a cat")
    assert (session.latest.base, session.latest.change) == (None, "")
    assert [c.number for c in session.latest.candidates] == [1, 2, 3]
    assert session.attempt(1).prompt == PROMPT


def test_edit_after_a_failed_first_attempt_is_its_own_first_prompt() -> None:
    session = begin.edit(failed_first(), 1, "a cat", NO_OPTIONS, NOW)
    assert session.stage is Stage.GENERATING
    assert (session.task_input, session.latest.prompt) == ("a cat", "a cat")
    assert (session.latest.number, session.error_message) == (2, "")


# a request that comes twice


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: begin.refine(s, ImageRef(1), "night", NOW, asked_by="E1"),
        lambda s: begin.edit(s, 1, "a cat", WIDE, NOW, "E1"),
        lambda s: begin.regenerate(s, 1, NOW, "E1"),
        lambda s: begin.try_again(s, 1, NOW, "E1"),
    ],
)
def test_a_request_that_comes_twice_starts_one_attempt(ask: Step) -> None:
    once = ask(a_session())
    assert once.latest.asked_by == "E1"
    assert ask(once) is once
    posted = steps.draft_posted(once, 2, "2.5", NOW)
    assert ask(posted) is posted
    approved = steps.use_earlier(posted, ImageRef(1), OWNER, NOW)
    assert ask(approved) is approved


def test_another_request_is_another_attempt() -> None:
    once = begin.refine(a_session(), ImageRef(1), "night", NOW, asked_by="E1")
    posted = steps.draft_posted(once, 2, "2.5", NOW)
    twice = begin.refine(posted, ImageRef(1), "night", NOW, asked_by="E2")
    assert [a.asked_by for a in twice.attempts] == ["", "E1", "E2"]
    unnamed = steps.draft_posted(twice, 3, "3.5", NOW)
    assert begin.refine(unnamed, ImageRef(1), "night", NOW).latest.number == 4


# approve


def test_approve_settles_on_the_draft_and_names_who_did() -> None:
    session = steps.approve(a_session(attempts=2), ImageRef(2), STRANGER, NOW)
    assert (session.stage, session.final_result, session.approved_by) == (Stage.FINAL, 2, STRANGER)
    assert session.final_image == ImageRef(2)


def test_approving_one_candidate_settles_the_session() -> None:
    before = replace(a_session(), attempts=(an_attempt(posted=True, images=3),))
    session = steps.approve(before, ImageRef(1, 3), OWNER, NOW)
    assert (session.final_image, session.stage) == (ImageRef(1, 3), Stage.FINAL)
    late = reason_of(lambda: steps.approve(session, ImageRef(1, 2), OWNER, NOW))
    assert late is Reason.ALREADY_APPROVED


def test_second_approve_changes_nothing() -> None:
    approved = steps.approve(a_session(), ImageRef(1), OWNER, NOW)
    for step in (steps.approve, steps.use_earlier):
        late = reason_of(lambda: step(approved, ImageRef(1), STRANGER, NOW))  # noqa: B023
        assert late is Reason.ALREADY_APPROVED
    assert approved.approved_by == OWNER


def test_prompt_and_options_are_those_of_the_image_that_was_approved() -> None:
    edited = begin.edit(a_session(), 1, "a cat", WIDE, NOW)
    session = steps.draft_posted(edited, 2, "2.5", NOW)
    assert (session.task_input, session.options) == ("a cat", WIDE)
    used = steps.use_earlier(session, ImageRef(1), OWNER, NOW)
    assert (used.task_input, used.options) == (PROMPT, NO_OPTIONS)


def test_an_earlier_draft_can_be_used_until_one_is_approved() -> None:
    session = a_session(attempts=3)
    used = steps.use_earlier(session, ImageRef(1), OWNER, NOW)
    assert (used.stage, used.final_image, used.approved_by) == (Stage.FINAL, ImageRef(1), OWNER)
    assert owed(used) == (Job(JobKind.PUBLISH, session.id, 1),)
    running = generating(3)
    late = reason_of(lambda: steps.use_earlier(running, ImageRef(1), OWNER, NOW))
    assert late is Reason.STILL_WORKING


@pytest.mark.parametrize("image", [ImageRef(0), ImageRef(4), ImageRef(1, 2), ImageRef(-2)])
def test_an_image_that_is_not_there_cannot_be_used(image: ImageRef) -> None:
    session = a_session(attempts=3)
    late = reason_of(lambda: steps.use_earlier(session, image, OWNER, NOW))
    assert late is Reason.MOVED_ON


def test_of_an_earlier_draft_the_approve_button_comes_too_late() -> None:
    session = a_session(attempts=2)
    late = reason_of(lambda: steps.approve(session, ImageRef(1), OWNER, NOW))
    assert late is Reason.MOVED_ON
    assert steps.use_earlier(session, ImageRef(1), OWNER, NOW).final_result == 1


# failures


def test_a_failed_attempt_gives_the_earlier_draft_back() -> None:
    failed = failed_second()
    assert (failed.stage, failed.error_message) == (Stage.USER_FEEDBACK, "no credit")
    assert (failed.latest.failure, failed.latest.failure_ts) == (FailureKind.QUOTA, "8.0")
    assert failed.newest_draft == failed.attempt(1)
    assert steps.approve(failed, ImageRef(1), OWNER, NOW).final_result == 1
    assert begin.regenerate(failed, 1, NOW).latest.number == 3
    assert begin.refine(failed, ImageRef(1), "night", NOW).latest.number == 3
    assert begin.edit(failed, 1, "a cat", WIDE, NOW).latest.number == 3
    assert begin.edit(failed, 2, "a cat", WIDE, NOW).latest.number == 3
    assert begin.try_again(failed, 2, NOW).latest.number == 3


def test_an_image_approved_after_a_failure_is_still_owed_its_publication() -> None:
    approved = steps.approve(failed_second(), ImageRef(1), OWNER, NOW)
    assert approved.error_message == ""
    assert owed(approved) == (Job(JobKind.PUBLISH, approved.id, 1),)


def test_a_failed_attempt_cannot_be_approved() -> None:
    failed = failed_second()
    late = reason_of(lambda: steps.approve(failed, ImageRef(2), OWNER, NOW))
    assert late is Reason.MOVED_ON


def test_a_failed_first_attempt_goes_back_to_the_prompt_and_keeps_it() -> None:
    failed = failed_first()
    assert (failed.stage, failed.task_input) == (Stage.INITIAL_INPUT, PROMPT)
    assert failed.error_message == "words"
    assert not failed.in_progress


def test_a_draft_is_recorded_on_its_own_attempt() -> None:
    session = steps.draft_posted(generating(2), 2, "9.9", NOW)
    assert session.stage is Stage.USER_FEEDBACK
    assert [a.message_ts for a in session.attempts] == ["1.5", "9.9"]
    assert session.newest_draft == session.attempt(2)


# cancelling


def test_a_cancelled_first_attempt_goes_back_to_the_prompt() -> None:
    session = steps.cancel(generating(), 1, "cancelled", NOW)
    assert (session.stage, session.error_message) == (Stage.INITIAL_INPUT, "cancelled")
    assert session.latest.cancelled
    assert session.latest.failure_ts == ""
    again = begin.try_again(session, 1, NOW)
    assert (again.latest.number, again.latest.prompt, again.error_message) == (2, PROMPT, "")
    assert begin.edit(session, 1, "a cat", WIDE, NOW).latest.prompt == "a cat"


def test_a_cancelled_later_attempt_gives_the_earlier_draft_back() -> None:
    session = steps.cancel(generating(2), 2, "cancelled", NOW)
    assert session.stage is Stage.USER_FEEDBACK
    assert session.newest_draft == session.attempt(1)
    assert steps.approve(session, ImageRef(1), OWNER, NOW).error_message == ""
    assert begin.regenerate(session, 1, NOW).latest.number == 3
    assert begin.refine(session, ImageRef(1), "night", NOW).latest.number == 3
    assert begin.try_again(session, 2, NOW).latest.number == 3


def test_images_that_came_before_a_cancel_are_not_shown() -> None:
    halfway = with_attempt(generating(), an_attempt(posted=True, images=2, message_ts=""))
    session = steps.cancel(halfway, 1, "cancelled", NOW)
    assert session.newest_draft is None
    assert not session.shows(ImageRef(1))
    late = reason_of(lambda: steps.draft_posted(session, 1, "9", NOW))
    assert late is Reason.MOVED_ON


@pytest.mark.parametrize("number", [1, 2])
def test_a_second_cancel_finds_nothing_to_cancel(number: int) -> None:
    session = steps.cancel(generating(number), number, "cancelled", NOW)
    late = reason_of(lambda: steps.cancel(session, number, "cancelled", NOW))
    assert late is Reason.NOTHING_TO_CANCEL


def test_a_cancel_of_an_older_attempt_leaves_the_running_one_alone() -> None:
    cancelled = steps.cancel(generating(), 1, "cancelled", NOW)
    again = begin.try_again(cancelled, 1, NOW)
    late = reason_of(lambda: steps.cancel(again, 1, "cancelled", NOW))
    assert late is Reason.MOVED_ON


@pytest.mark.parametrize("root_ts", ["1.0", ""])
def test_that_a_cancel_is_shown_is_recorded_also_where_nothing_was_posted_yet(root_ts: str) -> None:
    session = steps.cancel(replace(generating(), root_ts=root_ts), 1, "cancelled", NOW)
    shown = steps.cancel_shown(session, 1)
    assert (shown.latest.cancel_shown, shown.latest.failure_ts) == (True, "")
    assert owed(shown) == ()
    assert shown == with_latest(session, cancel_shown=True)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_what_is_shown_of_a_cancel_matters_no_more_once_the_session_was_cleared(
    number: int,
) -> None:
    cancelled = steps.cancel(generating(2), 2, "cancelled", NOW)
    approved = steps.approve(cancelled, ImageRef(1), OWNER, NOW)
    cleared = retired(steps.start_over(approved, "T1.U1.next", NOW))
    assert steps.cancel_shown(cleared, number) is cleared
    if number != 2:
        assert steps.cancel_shown(cancelled, number) is cancelled


# from a person's picture


def test_a_session_from_a_picture_starts_from_it_again_and_again() -> None:
    session = begin.submit(a_session(Stage.INITIAL_INPUT), "a hat", NOW, source=Source("F7"))
    failed = steps.attempt_failed(session, 1, FailureKind.SOURCE_GONE, "w", "7.0", NOW)
    again = begin.try_again(failed, 1, NOW)
    assert (again.latest.base, again.latest.change) == (ImageRef(0), "a hat")
    failed = steps.attempt_failed(again, 2, FailureKind.MODERATION, "w", "8.0", NOW)
    edited = begin.edit(failed, 2, "a coat", WIDE, NOW)
    assert (edited.latest.base, edited.latest.change) == (ImageRef(0), "a coat")
    assert edited.source == Source("F7")
    posted = with_attempt(edited, replace(edited.latest, candidates=an_attempt(posted=True).images))
    posted = steps.draft_posted(posted, 3, "3.5", NOW)
    refined = begin.refine(posted, ImageRef(3), "night", NOW)
    assert refined.changes_up_to(ImageRef(4)) == ("a coat", "night")
    afresh = begin.edit(posted, 3, "gloves", NO_OPTIONS, NOW)
    assert (afresh.latest.base, afresh.latest.change) == (ImageRef(0), "gloves")
    assert begin.regenerate(posted, 3, NOW).latest.base == ImageRef(0)


# start over


def test_start_over_leaves_only_whose_it_was_and_where_once_it_is_retired() -> None:
    final = a_session(
        Stage.FINAL,
        attempts=2,
        response_url="https://hooks",
        input_used_by_process=PROMPT,
        final_ts="6.0",
        error_message="x",
        final_candidate=3,
        options=WIDE,
        source=Source("F7"),
        thread_ts="0.5",
    )
    cleared = steps.start_over(final, "T1.U1.next", NOW)
    emptied = (cleared.task_input, cleared.final_result, cleared.input_used_by_process)
    assert (*emptied, cleared.error_message) == ("", 0, "", "")
    assert owed(cleared) == (Job(JobKind.RETIRE, final.id, 2),)
    assert retired(cleared) == Session(
        final.id,
        "T1",
        OWNER,
        CHANNEL,
        root_ts="1.0",
        thread_ts="0.5",
        final_ts="6.0",
        restarted_as="T1.U1.next",
        publication=Publication.RETIRED,
        created_at=final.created_at,
        updated_at=NOW,
        version=1,
    )


def test_start_over_for_the_same_successor_again_changes_nothing() -> None:
    cleared = steps.start_over(a_session(Stage.FINAL), "T1.U1.next", NOW)
    assert steps.start_over(cleared, "T1.U1.next", NOW + 1) is cleared


def test_what_comes_after_start_over_is_told_so() -> None:
    cleared = steps.start_over(a_session(Stage.FINAL), "T1.U1.next", NOW)
    for step in (
        lambda: steps.start_over(cleared, "T1.U1.other", NOW),
        lambda: steps.approve(cleared, ImageRef(1), OWNER, NOW),
        lambda: steps.use_earlier(cleared, ImageRef(1), OWNER, NOW),
        lambda: begin.regenerate(cleared, 1, NOW),
        lambda: begin.refine(cleared, ImageRef(1), "night", NOW),
        lambda: begin.edit(cleared, 1, "a cat", WIDE, NOW),
        lambda: begin.try_again(cleared, 1, NOW),
    ):
        assert reason_of(step) is Reason.STARTED_OVER


@pytest.mark.parametrize("kind", sorted(NOT_ANNOUNCED))
def test_try_again_still_works_after_attempts_that_could_not_be_announced(
    kind: FailureKind,
) -> None:
    """They have no message, so the older button is the only one there is."""
    session = failed_first()
    for number in (2, 3):
        session = begin.try_again(session, 1, 5.0)
        assert session.latest.number == number
        session = steps.attempt_failed(session, number, kind, "words", "", 6.0)
    assert begin.try_again(session, 1, 7.0).latest.number == 4


def test_try_again_comes_too_late_once_a_newer_attempt_has_a_message() -> None:
    session = begin.try_again(failed_first(), 1, 5.0)
    session = steps.attempt_failed(session, 2, FailureKind.NOT_SHOWN, "words", "9.9", 6.0)
    with pytest.raises(Refusal):
        begin.try_again(session, 1, 7.0)
