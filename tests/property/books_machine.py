"""The books, through whatever people, workers, the provider and time may do in any order.

A worker's run makes a call, the provider takes it or does not, and the run tells how it ended, or
dies before it can. What the provider charged for is known here, and the books are compared with it
after each step: a step is one commit, so a process may die between any two.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from bot.domain import transitions
from bot.domain.attempt import MAX_PAID_CALLS, ImageRef
from bot.domain.books import call_ended
from bot.domain.costs import CallOutcome, CallState, Cost, Usage
from bot.domain.failures import FailureKind
from bot.domain.generation import (
    LOST,
    attempt_failed,
    image_failed,
    image_made,
    is_current_run,
    paid_call_counted,
    started,
)
from bot.domain.images import GeneratedImage
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.policy import Person
from bot.domain.session import Session
from bot.domain.stages import Stage
from tests.property.books_driving import CHANNELS, DAY, EACH, PLENTY, TEAM, USERS, BooksDriver, Run

WHICH = st.integers(0, 9)
LIMITS = st.sampled_from(
    [
        PLENTY,
        Limits(user_images=3),
        Limits(user=4 * EACH),
        Limits(channel=5 * EACH),
        Limits(workspace=6 * EACH, user_images=5),
        Limits(workspace=EACH),
    ]
)


class BooksMachine(BooksDriver):
    """What may happen, and what always holds."""

    def teardown(self) -> None:
        try:
            if self.ids:
                self._end()
        finally:
            self._do(self._redis.aclose())
            self._runner.close()

    # people

    @initialize(calls=st.lists(st.none() | st.integers(1, 2 * EACH), max_size=4))
    def first(self, calls: list[int | None]) -> None:
        """Somebody has asked for two images, and some calls are under way."""
        self.ask("U1", "C1", 2, 1)
        for number, taken in enumerate(calls):
            self.call(0, number, taken, LOST)

    @rule(
        user=st.sampled_from(USERS),
        channel=st.sampled_from(CHANNELS),
        count=st.integers(1, 3),
        at_once=st.integers(1, 3),
    )
    def ask(self, user: str, channel: str, count: int, at_once: int) -> None:
        """`at_once`: so many commands in the same instant."""
        asked = []
        for _ in range(at_once):
            session_id = f"{TEAM}.{user}.s{self._next()}"
            options = Options(count=count)
            session = Session(session_id, TEAM, user, channel, options=options)
            self.ids.append(session_id)
            asked.append(self.gateway.create(session, Person(TEAM, user), "a fox"))
        self._begin(asked, user, channel, count)

    @precondition(lambda self: self.ids)
    @rule(which=WHICH, at_once=st.integers(1, 2))
    def try_again(self, which: int, at_once: int) -> None:
        """After a failure; twice at once, one comes too late."""
        session = self._session(which, generating=False)
        if session is None or not session.attempts:
            return
        image, person = ImageRef(session.latest.number), Person(TEAM, session.user)
        asked = [
            self.gateway.try_again(session.id, image, person, f"again{self._next()}")
            for _ in range(at_once)
        ]
        self._begin(asked, session.user, session.channel, len(session.latest.candidates))

    @precondition(lambda self: self.ids)
    @rule(which=WHICH, fails=st.booleans())
    def end_attempt(self, which: int, fails: bool) -> None:
        """Cancelled, or failed as a whole, whatever its calls do."""
        session = self._session(which, generating=True)
        if session is None:
            return
        number = session.latest.number
        kind = FailureKind.TIMED_OUT
        self._write(
            session,
            (lambda s: attempt_failed(s, number, kind, "w", "7.0", 1.0))
            if fails
            else (lambda s: transitions.cancel(s, number, "w", 1.0)),
        )

    # workers

    @precondition(lambda self: self.ids)
    @rule(
        which=WHICH,
        candidate=WHICH,
        taken=st.none() | st.integers(1, 2 * EACH),
        knows=st.sampled_from([LOST, CallOutcome(CallState.FREE)]),
    )
    def call(self, which: int, candidate: int, taken: int | None, knows: CallOutcome) -> None:
        """A run begins and calls, also where another is taken for dead. It `knows` how its own
        last call ended."""
        session = self._session(which, generating=True)
        candidates = [c for c in session.latest.candidates if not c.is_made] if session else []
        if session is None or not candidates:
            return
        wanted = candidates[candidate % len(candidates)]
        image = ImageRef(session.latest.number, wanted.number)
        run_id = f"run{self._next()}"
        unpaid = f"{session.id}.{image.attempt}.{image.candidate}.{wanted.paid_calls}"
        ended = knows if unpaid not in self.charged else LOST
        if wanted.paid_calls >= MAX_PAID_CALLS:
            self._limit_of_calls(session, image, run_id)
            return
        self._write(session, lambda s: started(s, image, run_id, 1.0))
        written = self._write(
            session, lambda s: paid_call_counted(s, image, run_id, wanted.paid_calls, ended)
        )
        assert is_current_run(written, image, run_id)
        run = Run(run_id, session.id, image, wanted.paid_calls + 1, taken)
        self.runs.append(run)
        if taken is not None:
            self.charged[run.call] = taken
        self.reached[f"call {run.number}"] += 1

    @precondition(lambda self: self.runs)
    @rule(which=WHICH, image=st.booleans(), usage=st.booleans(), times=st.integers(1, 2))
    def answer(self, which: int, image: bool, usage: bool, times: int) -> None:
        """A run tells what came of its call, also late, and again where the answer to its commit
        was lost. Without `usage` the provider did not tell what it charged."""
        run = self.runs.pop(which % len(self.runs))
        end = CallOutcome(CallState.FREE)
        if run.charged is not None:
            told = Usage(text_out=run.charged), Cost(run.charged, "test", known=True)
            end = CallOutcome(CallState.MEASURED, *told) if usage else LOST
        made = GeneratedImage(b"", "image/png", 64, 64, response_id=run.id)
        kind = FailureKind.DECLINED

        def change(session: Session) -> Session:
            if image and run.charged is not None:
                changed = image_made(session, run.image, made, 1.0)
            else:
                changed = image_failed(session, run.image, run.id, kind, "", 1.0)
            return call_ended(changed, run.image, run.number, end)

        if run.session_id in self._living():
            for _ in range(times):
                self._do(self.store.update(run.session_id, change))
            self.reached[f"told {end.state}"] += 1

    @precondition(lambda self: self.runs)
    @rule(which=WHICH)
    def refused(self, which: int) -> None:
        """The provider has not taken the call, and the image is to be asked for again."""
        unpaid = [run for run in self.runs if run.charged is None]
        if not unpaid:
            return
        run = unpaid[which % len(unpaid)]
        self.runs.remove(run)
        if run.session_id in self._living():
            self._do(
                self.store.update(
                    run.session_id,
                    lambda s: call_ended(s, run.image, run.number, CallOutcome(CallState.FREE)),
                )
            )

    @precondition(lambda self: self.runs)
    @rule(which=WHICH, image=st.booleans())
    def work(self, which: int, image: bool) -> None:
        """A run tells its usage, with an image or with words in its place."""
        self.answer(which, image, usage=True, times=1)

    @rule(at_once=st.integers(1, 3))
    def sweep(self, at_once: int) -> None:
        self._sweep(at_once)

    # time, and trouble

    @precondition(lambda self: self.ids)
    @rule(
        what=st.sampled_from(["kill", "kill", "expire", "start over"]),
        which=WHICH,
        days=st.sampled_from([0.4, 1.0, 31.0]),
        limits=LIMITS,
    )
    def trouble(self, what: str, which: int, days: float, limits: Limits) -> None:
        """A worker dies with a run whose answer nobody knows; a session's time is over, or its
        attempts are dropped. The clock goes on, and an admin sets limits above or below what is
        used."""
        self.now += days * DAY
        self.limits = limits
        session = self._session(which)
        match what:
            case "kill" if self.runs:
                self.runs.pop(which % len(self.runs))
            case "expire":
                self._expire(session)
            case "start over" if session and session.stage is not Stage.GENERATING:
                self._write(session, lambda s: replace(s, attempts=()))

    # what always holds

    @invariant()
    def the_books_stand(self) -> None:
        self._check_books()
