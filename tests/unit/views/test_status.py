"""The line that says where a session stands."""

from __future__ import annotations

import pytest

from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.views.status import status_words
from tests.fakes import a_session, generating, with_latest

STARTED = with_latest(generating(), started_at=100.0)


@pytest.mark.parametrize(
    ("session", "ahead", "words"),
    [
        (generating(), None, "⏳ Queued"),
        (generating(), 0, "⏳ Queued"),
        (generating(), 3, "⏳ Queued, 3 ahead"),
        (generating(2), 1, "⏳ Queued, attempt 2, 1 ahead"),
        (STARTED, 3, "🎨 Generating… 31 s"),
        (with_latest(generating(2), started_at=200.0), None, "🎨 Generating, attempt 2… 0 s"),
        (with_latest(STARTED, width=9), None, "📤 Uploading…"),
        (a_session(), None, "👀 Waiting for review by <@U1>"),
        (a_session(error_message="x"), None, "⚠️ The last attempt failed: see the thread"),
        (a_session(Stage.FINAL, approved_by="U9"), None, "✅ Approved by <@U9>"),
        (a_session(Stage.FINAL, error_message="x"), None, "✅ Approved by <@U1>"),
        (a_session(Stage.INITIAL_INPUT), None, "🔄 Started over"),
        (a_session(Stage.INITIAL_INPUT, error_message="x"), None, "⚠️ Failed: see the thread"),
    ],
)
def test_says_where_the_session_stands(session: Session, ahead: int | None, words: str) -> None:
    assert status_words(session, ahead, now=131.2) == words
