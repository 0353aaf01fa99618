"""Whether a form may open is what its submission would be told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain import begin, steps
from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.options import NO_OPTIONS
from bot.domain.session import Session
from bot.domain.stages import Stage
from tests.fakes import a_session, generating

NOW = 500.0
SESSIONS: dict[str, Session] = {
    "waits": a_session(Stage.INITIAL_INPUT),
    "generating": generating(2),
    "failed first": steps.attempt_failed(generating(), 1, FailureKind.TIMED_OUT, "w", "7.0", NOW),
    "failed later": steps.attempt_failed(generating(2), 2, FailureKind.TIMED_OUT, "w", "", NOW),
    "draft": a_session(attempts=2),
    "approved": a_session(Stage.FINAL),
    "started over": steps.start_over(a_session(Stage.FINAL), "T1.U1.ab", NOW),
}


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


def refusal(work: Callable[[], object]) -> Reason | None:
    try:
        work()
    except Refusal as refused:
        return refused.reason
    return None
