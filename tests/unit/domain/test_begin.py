"""What each way to an attempt begins, and what it refuses without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain import begin, generation, jobs, transitions
from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from tests.fakes import (
    ID,
    OWNER,
    PROMPT,
    a_candidate,
    a_session,
    an_attempt,
    generating,
    with_latest,
)

NOW = 500.0
WIDE = Options(size="1792x1008", quality="high", background="opaque", count=3)
Step = Callable[[Session], Session]
SESSIONS: dict[str, Session] = {
    "waits": a_session(Stage.INITIAL_INPUT),
    "generating": generating(2),
    "failed first": generation.attempt_failed(
        generating(), 1, FailureKind.TIMED_OUT, "w", "7.0", NOW
    ),
    "failed later": generation.attempt_failed(
        generating(2), 2, FailureKind.TIMED_OUT, "w", "", NOW
    ),
    "draft": a_session(attempts=2),
    "approved": a_session(Stage.FINAL),
}


def failed_first(kind: FailureKind = FailureKind.MODERATION) -> Session:
    """A session whose first attempt failed: back to the prompt, with the error."""
    return generation.attempt_failed(generating(), 1, kind, "words", "7.0", NOW)


def reason_of(step: Callable[[], object]) -> Reason:
    with pytest.raises(Refusal) as refused:
        step()
    assert refused.value.owner == OWNER
    return refused.value.reason


def refusal(work: Callable[[], object]) -> Reason | None:
    try:
        work()
    except Refusal as refused:
        return refused.reason
    return None


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
    posted = generation.draft_posted(refined, 2, "2.5", NOW)
    again = begin.regenerate(posted, 2, NOW)
    assert (again.latest.number, again.latest.base) == (3, ImageRef(1))
    assert again.latest.change == "night"


def test_a_new_attempt_takes_over_nothing_that_came_of_the_old_one() -> None:
    old = an_attempt(
        posted=True,
        requeues=3,
        as_file=True,
        preview_ts="5.5",
        failure_ts="6.6",
        idempotency_key="E1",
    )
    session = begin.regenerate(replace(a_session(), attempts=(old,)), 1, NOW)
    assert session.latest == Attempt(2, PROMPT, old.options, queued_at=NOW)


def test_try_again_after_a_failed_first_attempt_asks_the_same_once_more() -> None:
    session = begin.try_again(failed_first(), 1, NOW)
    assert session.stage is Stage.GENERATING
    assert (session.latest.number, session.latest.prompt) == (2, PROMPT)
    assert session.error_message == ""


DELIVERY_FAILURES = [
    FailureKind.STORAGE_FULL,
    FailureKind.UPLOADS_OFF,
    FailureKind.FILE_TOO_LARGE,
    FailureKind.NOT_DELIVERED,
    FailureKind.CHANNEL_ARCHIVED,
    FailureKind.NOT_IN_CHANNEL,
    FailureKind.APP_REFUSED,
    FailureKind.INTERNAL,
]


def undelivered(kind: FailureKind, **changes: Any) -> Session:
    """Its image is made, and Slack did not show it."""
    made = a_candidate(1, **{"file_id": "", "failure": kind, **changes})
    session = with_latest(
        generating(), candidates=(made,), delivery_candidate=1, generated_at=113.0
    )
    return generation.attempt_failed(session, 1, kind, "words", "7.0", NOW)


@pytest.mark.parametrize("kind", DELIVERY_FAILURES)
def test_try_again_delivers_an_image_that_is_there(kind: FailureKind) -> None:
    session = begin.try_again(undelivered(kind), 1, NOW, "E1")
    assert (session.stage, len(session.attempts)) == (Stage.GENERATING, 1)
    assert (session.latest.failure, session.error_message) == (None, "")
    assert session.latest.images[0].has_image
    assert [job.id for job in jobs.due_jobs(session)] == [f"announce-{ID}-1-1"]
    announced = generation.announced(session, 1)
    assert [job.id for job in jobs.due_jobs(announced)] == [f"generate-{ID}-1.1-1"]
    assert begin.try_again(session, 1, NOW, "E1") == session


def test_try_again_after_a_draft_that_slack_refused_keeps_its_file() -> None:
    failed = undelivered(FailureKind.CHANNEL_ARCHIVED, file_id="F1", failure=None)
    assert begin.try_again(failed, 1, NOW).latest.candidate(1).file_id == "F1"
    lost = undelivered(FailureKind.NOT_DELIVERED, file_id="F1", failure=None)
    assert begin.try_again(lost, 1, NOW).latest.candidate(1).file_id == ""


def test_try_again_after_a_cancellation_is_another_attempt() -> None:
    made = a_candidate(1, file_id="")
    session = with_latest(generating(), candidates=(made,), delivery_candidate=1)
    again = begin.try_again(transitions.cancel(session, 1, "w", NOW), 1, NOW)
    assert len(again.attempts) == 2


def test_try_again_delivers_the_images_that_came_and_makes_no_other() -> None:
    candidates = (
        a_candidate(1, file_id="", failure=FailureKind.STORAGE_FULL),
        Candidate(2, failure=FailureKind.MODERATION),
        a_candidate(3, file_id="", failure=FailureKind.STORAGE_FULL),
    )
    session = with_latest(generating(), candidates=candidates, delivery_candidate=3)
    failed = generation.attempt_failed(session, 1, FailureKind.STORAGE_FULL, "w", "7.0", NOW)
    again = generation.announced(begin.try_again(failed, 1, NOW), 1)
    assert [c.number for c in again.latest.images] == [1, 3]
    assert [job.candidate for job in jobs.due_jobs(again)] == [1]


def test_try_again_after_a_failed_refinement_makes_the_same_change() -> None:
    refined = begin.refine(a_session(), ImageRef(1), "night", NOW)
    failed = generation.attempt_failed(refined, 2, FailureKind.PROVIDER_DOWN, "w", "8.0", NOW)
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
    assert reason_of(lambda: transitions.approve(session, failed, OWNER, NOW)) is Reason.MOVED_ON
    assert (
        reason_of(lambda: transitions.use_earlier(session, failed, OWNER, NOW)) is Reason.MOVED_ON
    )
    assert transitions.approve(session, came, OWNER, NOW).final_image == came


# edit


def test_edit_begins_afresh_with_another_prompt_and_other_options() -> None:
    refined = begin.refine(a_session(), ImageRef(1), "night", NOW)
    posted = generation.draft_posted(refined, 2, "2.5", NOW)
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
        lambda s: begin.refine(s, ImageRef(1), "night", NOW, idempotency_key="E1"),
        lambda s: begin.edit(s, 1, "a cat", WIDE, NOW, "E1"),
        lambda s: begin.regenerate(s, 1, NOW, "E1"),
        lambda s: begin.try_again(s, 1, NOW, "E1"),
    ],
)
def test_a_request_that_comes_twice_starts_one_attempt(ask: Step) -> None:
    once = ask(a_session())
    assert once.latest.idempotency_key == "E1"
    assert ask(once) is once
    posted = generation.draft_posted(once, 2, "2.5", NOW)
    assert ask(posted) is posted
    approved = transitions.use_earlier(posted, ImageRef(1), OWNER, NOW)
    assert ask(approved) is approved


def test_another_request_is_another_attempt() -> None:
    once = begin.refine(a_session(), ImageRef(1), "night", NOW, idempotency_key="E1")
    posted = generation.draft_posted(once, 2, "2.5", NOW)
    twice = begin.refine(posted, ImageRef(1), "night", NOW, idempotency_key="E2")
    assert [a.idempotency_key for a in twice.attempts] == ["", "E1", "E2"]
    unnamed = generation.draft_posted(twice, 3, "3.5", NOW)
    assert begin.refine(unnamed, ImageRef(1), "night", NOW).latest.number == 4


# from a person's picture


def test_a_session_from_a_picture_starts_from_it_again_and_again() -> None:
    session = begin.submit(a_session(Stage.INITIAL_INPUT), "a hat", NOW, source=Source("F7"))
    failed = generation.attempt_failed(session, 1, FailureKind.SOURCE_GONE, "w", "7.0", NOW)
    again = begin.try_again(failed, 1, NOW)
    assert (again.latest.base, again.latest.change) == (ImageRef(0), "a hat")
    failed = generation.attempt_failed(again, 2, FailureKind.MODERATION, "w", "8.0", NOW)
    edited = begin.edit(failed, 2, "a coat", WIDE, NOW)
    assert (edited.latest.base, edited.latest.change) == (ImageRef(0), "a coat")
    assert edited.source == Source("F7")
    posted = with_attempt(edited, replace(edited.latest, candidates=an_attempt(posted=True).images))
    posted = generation.draft_posted(posted, 3, "3.5", NOW)
    refined = begin.refine(posted, ImageRef(3), "night", NOW)
    assert refined.changes_up_to(ImageRef(4)) == ("a coat", "night")
    afresh = begin.edit(posted, 3, "gloves", NO_OPTIONS, NOW)
    assert (afresh.latest.base, afresh.latest.change) == (ImageRef(0), "gloves")
    assert begin.regenerate(posted, 3, NOW).latest.base == ImageRef(0)


# forms


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())
def test_a_form_opens_exactly_where_its_submission_would_begin_an_attempt(
    session: Session, number: int
) -> None:
    image = ImageRef(number)
    assert refusal(lambda: begin.check_can_refine(session, image)) == refusal(
        lambda: begin.refine(session, image, "night", NOW)
    )
    assert refusal(lambda: begin.check_can_edit(session, number)) == refusal(
        lambda: begin.edit(session, number, "a cat", NO_OPTIONS, NOW)
    )
