"""An attempt, its candidates, and the names of their images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import LONGEST_MODEL, Attempt, Candidate, ImageRef, model_name
from bot.domain.failures import FailureKind
from tests.fakes import PROMPT, a_candidate, an_attempt


@pytest.mark.parametrize(
    ("image", "name"),
    [(ImageRef(0), "0"), (ImageRef(1), "1"), (ImageRef(12, 1), "12"), (ImageRef(1, 4), "1.4")],
)
def test_an_image_is_named_by_its_attempt_and_where_there_are_several_by_its_number(
    image: ImageRef, name: str
) -> None:
    assert str(image) == name


def test_images_come_in_the_order_they_were_made() -> None:
    assert sorted([ImageRef(2), ImageRef(1, 3), ImageRef(0), ImageRef(1)]) == [
        ImageRef(0),
        ImageRef(1),
        ImageRef(1, 3),
        ImageRef(2),
    ]


@pytest.mark.parametrize(
    ("candidate", "has_image", "deliverable"),
    [
        (Candidate(1), False, False),
        (Candidate(1, response_id="resp_1"), False, False),
        (Candidate(1, failure=FailureKind.QUOTA), False, False),
        (a_candidate(), True, True),
        (a_candidate(file_id=""), True, True),
        (a_candidate(failure=FailureKind.NOT_DELIVERED), True, False),
    ],
)
def test_a_candidate_is_shown_where_its_image_is_there_and_nothing_kept_it_from_slack(
    candidate: Candidate, has_image: bool, deliverable: bool
) -> None:
    shown = Attempt(1, PROMPT, candidates=(candidate,)).images
    assert (candidate.has_image, bool(shown)) == (has_image, deliverable)


def test_one_failing_candidate_does_not_lose_the_others() -> None:
    attempt = an_attempt(posted=True, images=3)
    failed = replace(attempt.candidate(2), failure=FailureKind.MODERATION)
    attempt = attempt.with_candidate(failed)
    assert [c.number for c in attempt.images] == [1, 3]


def test_a_new_attempt_has_one_candidate_and_no_image() -> None:
    attempt = Attempt(1, PROMPT)
    assert attempt.candidates == (Candidate(1),)
    assert attempt.images == ()
    assert not attempt.cancelled


def test_with_candidate_replaces_the_one_of_its_number_alone() -> None:
    attempt = an_attempt(posted=True, images=3)
    changed = attempt.with_candidate(replace(attempt.candidate(2), file_id="F9"))
    assert [c.file_id for c in changed.candidates] == ["F1", "F9", "F1.3"]
    assert [c.file_id for c in attempt.candidates] == ["F1", "F1.2", "F1.3"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gpt-image-2.5-flare", "gpt-image-2.5-flare"),
        ("  a\nb\x00c\u2028d ", "a b c d"),
        ("x" * 500, "x" * LONGEST_MODEL),
        ("", ""),
    ],
)
def test_a_models_name_is_one_line(text: str, shown: str) -> None:
    assert model_name(text) == shown


def test_what_is_asked_of_an_attempt_has_a_name() -> None:
    queued, posted = an_attempt(), an_attempt(posted=True)
    failed = replace(queued, failure=FailureKind.NOT_SHOWN, failure_ts="7.0")
    for attempt, there in ((queued, False), (posted, True)):
        asked = (attempt.has_started, attempt.is_generated, attempt.has_draft)
        assert asked == (there, there, there)
    assert (queued.failure_shown, failed.failure_shown) == (False, True)
