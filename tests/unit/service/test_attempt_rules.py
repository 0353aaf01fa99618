"""What is stored is what the rules have approved, with what they have committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain import begin, transitions
from bot.domain.attempt import ImageRef, Source
from bot.domain.errors import Conflict, StoreUnavailable
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.prompt import ParsedText
from bot.domain.record import RecordEvent
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import BeginRequest
from bot.service.attempt_rules import record_refusal
from tests.fakes import BOSS, ID, a_session, generating, with_latest
from tests.unit.service.services import Setup, refused

FIRST = ImageRef(1)
SOURCE = Source("F9", "image/png", 2_000)


class Meddler:
    """A rule during whose checks the session changes, by one of `changes` each time. `most` is
    how many images it lets an attempt have."""

    def __init__(self, *changes: Callable[[Session], Session], most: int = 4) -> None:
        self._changes = list(changes)
        self._most = most
        self.asked: list[BeginRequest] = []
        self.setup: Setup

    async def check(self, request: BeginRequest) -> None:
        self.asked.append(request)
        if self._changes:
            await self.setup.store.update(request.session.id, self._changes.pop(0))
        if request.attempt.options.candidates > self._most:
            raise Refusal(Reason.NOT_CHECKED)


def meddled(rule: Meddler, *sessions: Session) -> Setup:
    rule.setup = Setup(*sessions, rules=(rule,))
    return rule.setup


def another_cancelled(options: Options = NO_OPTIONS) -> Callable[[Session], Session]:
    """Another attempt began from the newest draft, and was cancelled."""

    def change(session: Session) -> Session:
        edited = begin.edit(session, len(session.attempts), "a dog", options, 5.0)
        return transitions.cancel(edited, len(edited.attempts), "w", 6.0)

    return change


async def test_what_is_stored_is_what_the_rules_have_approved() -> None:
    """Another attempt begins, and is cancelled, while a rule is asked."""
    rule = Meddler(another_cancelled())
    setup = meddled(rule, a_session())
    await setup.gateway.reply(ID, 1, BOSS, ParsedText("at night", NO_OPTIONS), "K1")
    assert [request.attempt.number for request in rule.asked] == [2, 3]
    latest = setup.session.latest
    assert latest == replace(rule.asked[-1].attempt, queued_at=latest.queued_at)
    assert rule.asked[-1].session.attempts == setup.session.attempts[:-1]


async def test_a_rule_refuses_what_an_attempt_has_become_meanwhile() -> None:
    """It takes its options from the session, and these are others by then."""

    def four_images(session: Session) -> Session:
        return replace(session, options=Options(count=4))

    failed = replace(
        a_session(Stage.INITIAL_INPUT),
        attempts=(replace(with_latest(a_session()).latest, message_ts="", failure_ts="7.0"),),
    )
    rule = Meddler(four_images, most=1)
    setup = meddled(rule, failed)
    late = setup.gateway.reply(ID, 1, BOSS, ParsedText("a cat", NO_OPTIONS), "K1")
    assert await refused(late) is Reason.NOT_CHECKED
    assert [request.attempt.options.candidates for request in rule.asked] == [1, 4]
    assert setup.session.attempts == failed.attempts


async def test_a_session_that_changes_otherwise_is_not_asked_about_again() -> None:
    rule = Meddler(lambda session: replace(session, response_url="https://hooks/2"))
    setup = meddled(rule, a_session())
    await setup.gateway.regenerate(ID, FIRST, BOSS, "K1")
    assert (len(rule.asked), setup.session.latest.number) == (1, 2)


async def test_the_same_request_that_began_meanwhile_begins_nothing_more() -> None:
    rule = Meddler(lambda session: begin.regenerate(session, 1, 5.0, "K1"))
    setup = meddled(rule, a_session())
    session = await setup.gateway.regenerate(ID, FIRST, BOSS, "K1")
    assert (len(rule.asked), len(session.attempts)) == (1, 2)
    assert setup.session == session


async def test_a_session_that_never_rests_is_given_up() -> None:
    rule = Meddler(*(another_cancelled() for _ in range(99)))
    setup = meddled(rule, a_session())
    with pytest.raises(Conflict):
        await setup.gateway.reply(ID, 1, BOSS, ParsedText("at night", NO_OPTIONS), "K1")
    assert all(attempt.idempotency_key != "K1" for attempt in setup.session.attempts)
    assert len(rule.asked) < 20


async def test_a_form_stores_what_the_rules_have_approved() -> None:
    waiting = replace(a_session(Stage.INITIAL_INPUT), source=SOURCE)
    rule = Meddler(lambda session: replace(session, source=None))
    setup = meddled(rule, waiting)
    await setup.gateway.submit(ID, BOSS, "a cat", NO_OPTIONS)
    assert [request.attempt.base for request in rule.asked] == [ImageRef(0), None]
    assert setup.session.latest.base is None


async def test_a_refusal_that_cannot_be_recorded_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Away:
        async def append(self, team: str, *events: RecordEvent) -> None:
            raise StoreUnavailable("away")

    await record_refusal(Away(), generating(), Refusal(Reason.TOO_MANY_WAITING))
    assert "a refusal is not in the record" in caplog.text
