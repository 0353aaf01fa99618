"""How many of a session's images wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Candidate
from bot.domain.failures import FailureKind
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.waiting import images_waiting
from tests.fakes import a_candidate, a_session, failed, generating, with_latest


@pytest.mark.parametrize(
    "candidate",
    [a_candidate(2), Candidate(2, run_id="r1"), Candidate(2, failure=FailureKind.TIMED_OUT)],
    ids=["made", "begun", "failed"],
)
def test_an_image_waits_until_a_worker_has_begun_it(candidate: Candidate) -> None:
    session = with_latest(generating(), candidates=(Candidate(1), candidate, Candidate(3)))
    assert images_waiting(session) == 2


@pytest.mark.parametrize(
    "session", [a_session(), failed(), a_session(Stage.INITIAL_INPUT), a_session(Stage.FINAL)]
)
def test_where_nothing_is_made_nothing_waits(session: Session) -> None:
    waiting = replace(session, attempts=generating().attempts) if session.attempts else session
    assert images_waiting(waiting) == 0
