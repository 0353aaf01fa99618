"""The line that says where a session stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, StoreTrouble
from bot.domain.publication import Publication
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.views.status import status_words
from tests.fakes import a_candidate, a_session, generating, with_latest
from tests.unit.views.samples import cancelled, failed_first, from_picture, refined, with_images

STARTED = with_latest(generating(), started_at=100.0)
THREE = with_latest(with_images(generating(), 3), started_at=100.0)


def there(session: Session, *numbers: int) -> Session:
    """The session with these candidates of its newest attempt there."""
    attempt = session.latest
    for number in numbers:
        attempt = attempt.with_candidate(a_candidate(number, file_id=""))
    return with_latest(session, candidates=attempt.candidates)


@pytest.mark.parametrize(
    ("session", "ahead", "words"),
    [
        (generating(), None, "⏳ Queued"),
        (generating(), 0, "⏳ Queued"),
        (generating(), 3, "⏳ Queued, 3 ahead"),
        (generating(2), 1, "⏳ Queued, attempt 2, 1 ahead"),
        (refined(generating(3), ImageRef(2)), 0, "⏳ Queued, attempt 3 from 2"),
        (from_picture(generating()), 0, "⏳ Queued, from your picture"),
        (STARTED, 3, "🎨 Generating… 31 s"),
        (with_latest(generating(2), started_at=200.0), None, "🎨 Generating, attempt 2… 0 s"),
        (
            with_latest(refined(generating(3), ImageRef(1, 2)), started_at=126.2),
            None,
            "🎨 Generating, attempt 3 from 1.2… 5 s",
        ),
        (there(STARTED, 1), None, "🎨 Generating… 31 s"),
        (THREE, None, "🎨 Generating… 31 s"),
        (there(THREE, 3), None, "🎨 Generating… 31 s · 1 of 3 images is there"),
        (there(THREE, 1, 3), None, "🎨 Generating… 31 s · 2 of 3 images are there"),
        (with_latest(there(THREE, 1), generated_at=120.0), None, "📤 Uploading…"),
        (with_latest(STARTED, generated_at=120.0), None, "📤 Uploading…"),
        (a_session(), None, "👀 Waiting for review by <@U1>"),
        (
            with_latest(a_session(attempts=2), failure=FailureKind.QUOTA),
            None,
            "⚠️ The last attempt failed: see the thread",
        ),
        (
            cancelled(draft=True),
            None,
            "🚫 Attempt 2 cancelled · 👀 waiting for review by <@U1>",
        ),
        (a_session(Stage.FINAL, approved_by="U9"), None, "✅ Approved by <@U9>"),
        (
            a_session(Stage.FINAL, publication=Publication.REFUSED),
            None,
            "⚠️ Approved by <@U1>, but Slack did not let me post it to the channel",
        ),
        (a_session(Stage.INITIAL_INPUT), None, "🔄 Started over"),
        (failed_first(), None, "⚠️ Failed: see the thread"),
        (cancelled(draft=False), None, "🚫 Cancelled"),
    ],
)
def test_says_where_the_session_stands(session: Session, ahead: int | None, words: str) -> None:
    assert status_words(session, ahead, now=131.2) == words


def test_what_is_shown_once_counts_no_seconds() -> None:
    assert status_words(STARTED, None, now=None) == "🎨 Generating…"


def test_an_approval_after_a_cancelled_attempt_is_an_approval() -> None:
    session = with_latest(a_session(Stage.FINAL, attempts=2), failure=FailureKind.CANCELLED)
    approved = replace(session, final_result=1, approved_by="U1")
    assert status_words(approved, None, now=1.0) == "✅ Approved by <@U1>"


@pytest.mark.parametrize("trouble", StoreTrouble)
def test_whoever_waits_for_the_store_is_told_why_and_that_it_goes_on(trouble: StoreTrouble) -> None:
    words = status_words(STARTED, None, now=131.2, waits_for=trouble)
    assert words.startswith("⏳ Waiting: ")
    assert "my memory" in words
    assert "goes on by itself" in words


def test_a_session_that_waits_for_its_person_does_not_wait_for_the_store() -> None:
    session = a_session()
    full = status_words(session, None, None, waits_for=StoreTrouble.FULL)
    assert full == status_words(session, None, None)
