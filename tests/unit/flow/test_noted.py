"""What is recorded of a candidate, where two runs of an attempt overlap."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.errors import FailureKind
from bot.domain.session import Session
from bot.domain.steps import draft_posted
from bot.flow.shared import noted
from tests.fakes import a_candidate, generating, with_latest

FIRST, SECOND = ImageRef(1), ImageRef(1, 2)
LATE: list[dict[str, Any]] = [
    {"failure": FailureKind.TIMED_OUT},
    {"failure": FailureKind.NOT_DELIVERED},
    {"response_id": "resp_late"},
    {"file_id": "F_LATE"},
    {"width": 7, "height": 7, "mime_type": "image/webp", "failure": None},
]


def one_uploaded() -> Session:
    return with_latest(generating(), candidates=(a_candidate(1), Candidate(2)))


@pytest.mark.parametrize("facts", LATE, ids=str)
def test_an_image_in_slack_is_not_changed_by_a_slower_run(facts: dict[str, Any]) -> None:
    session = one_uploaded()
    assert noted(session, FIRST, **facts) == session
    assert noted(session, SECOND, **facts) != session


@pytest.mark.parametrize("facts", LATE, ids=str)
def test_a_posted_draft_is_not_changed_by_a_slower_run(facts: dict[str, Any]) -> None:
    """Approve stands below it: what it shows has to stay what is approved."""
    session = draft_posted(one_uploaded(), 1, "1.5", 130.0)
    for image in (FIRST, SECOND):
        assert noted(session, image, **facts) == session
    assert session.shows(FIRST)
    assert not session.shows(SECOND)


def test_until_then_a_later_try_replaces_what_an_earlier_one_left() -> None:
    session = noted(generating(), FIRST, response_id="resp_1", failure=FailureKind.TIMED_OUT)
    session = noted(session, FIRST, response_id="resp_2", width=2, height=1, failure=None)
    candidate = session.latest.candidate(1)
    assert (candidate.response_id, candidate.deliverable) == ("resp_2", True)


def test_a_session_that_was_started_over_keeps_no_facts() -> None:
    session = generating()
    assert noted(session, ImageRef(2), file_id="F1") == session
