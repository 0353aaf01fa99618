"""What a session may do now is what its steps do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain import begin, steps, transitions
from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import TRANSITIONS, Event, Stage
from tests.fakes import OWNER, a_session, generating

NOW = 500.0
STARTED_OVER = steps.start_over(a_session(Stage.FINAL), "T1.U1.ab", NOW)
SESSIONS: dict[str, Session] = {
    "waits": a_session(Stage.INITIAL_INPUT),
    "generating": generating(2),
    "draft": a_session(attempts=2),
    "failed later": steps.attempt_failed(generating(2), 2, FailureKind.TIMED_OUT, "w", "", NOW),
    "approved": a_session(Stage.FINAL),
    "started over": STARTED_OVER,
}
STEPS: dict[Event, Callable[[Session], Session]] = {
    Event.SUBMIT: lambda s: begin.submit(s, "a cat", NOW),
    Event.GENERATED: lambda s: steps.draft_posted(s, len(s.attempts), "8.0", NOW),
    Event.FAILED: lambda s: steps.attempt_failed(
        s, len(s.attempts), FailureKind.QUOTA, "w", "8.0", NOW
    ),
    Event.CANCEL: lambda s: steps.cancel(s, len(s.attempts), "w", NOW),
    Event.APPROVE: lambda s: steps.use_earlier(s, ImageRef(1), OWNER, NOW),
    Event.REGENERATE: lambda s: begin.regenerate(s, len(s.attempts), NOW),
    Event.REFINE: lambda s: begin.refine(s, ImageRef(1), "night", NOW),
    Event.EDIT: lambda s: transitions.move(s, Event.EDIT, NOW),
    Event.START_OVER: lambda s: steps.start_over(s, "T1.U1.cd", NOW),
}
every_session = pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())


def test_there_is_a_step_for_every_event() -> None:
    assert STEPS.keys() == set(Event)


@every_session
@pytest.mark.parametrize("event", Event)
def test_a_session_can_do_exactly_what_its_step_does(session: Session, event: Event) -> None:
    refused = refusal(lambda: STEPS[event](session))
    assert transitions.can(session, event) == (refused is None)
    if refused is not Reason.NOTHING_TO_CANCEL:  # the one step that has a reason of its own
        assert refusal(lambda: transitions.check_can(session, event)) is refused


@every_session
def test_the_allowed_events_are_those_of_the_table_until_it_is_started_over(
    session: Session,
) -> None:
    wanted = frozenset(TRANSITIONS[session.stage]) if session is not STARTED_OVER else frozenset()
    assert transitions.allowed_events(session) == wanted
    assert {event for event in Event if transitions.can(session, event)} == wanted


@pytest.mark.parametrize(("number", "live"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_newest_draft_and_the_newest_failure_have_live_buttons(number: int, live: bool) -> None:
    failed = steps.attempt_failed(
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
