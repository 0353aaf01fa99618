"""What is recorded of the publication of an approved image."""

from __future__ import annotations

import pytest

from bot.domain import publication
from bot.domain.jobs import due_jobs
from bot.domain.stages import Publication, Stage
from tests.fakes import a_session


@pytest.mark.parametrize("words", ["", "Slack did not take it."])
def test_an_image_that_was_not_posted_is_refused_in_whatever_words(words: str) -> None:
    final = a_session(Stage.FINAL)
    (job,) = due_jobs(final)
    given_up = publication.given_up_unpublished(final, job, words)
    assert (given_up.publication, given_up.error_message) == (Publication.REFUSED, words)


@pytest.mark.parametrize("state", [Publication.PUBLISHED, Publication.SHOWN])
def test_an_image_that_was_posted_meanwhile_is_not_given_up(state: Publication) -> None:
    (job,) = due_jobs(a_session(Stage.FINAL))
    posted = a_session(Stage.FINAL, final_ts="9.0", publication=state)
    assert publication.given_up_unpublished(posted, job, "w") == posted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Publication.TO_PUBLISH, Publication.TO_PUBLISH),
        (Publication.PUBLISHED, Publication.SHOWN),
    ],
)
def test_giving_up_what_is_to_be_shown_takes_no_image_for_posted(
    before: Publication, after: Publication
) -> None:
    final = a_session(Stage.FINAL, publication=before)
    assert publication.given_up(final, *due_jobs(final)).publication is after
