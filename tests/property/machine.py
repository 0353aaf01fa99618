"""Domain and store, driven through whatever people, workers and time may do in any order."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from bot.adapters.redis.schema import session_key
from bot.domain.attempt import ImageRef
from bot.domain.options import Options
from bot.domain.policy import Person
from bot.domain.session import Session
from bot.domain.stages import Event
from bot.service import RequestOrigin
from tests.fakes import somebody
from tests.property.driving import PROCESSES, Driver, outcome_of
from tests.property.people import DECISIONS, next_recording, recordings
from tests.property.truth import IMAGE_MARK

OWNERS = ("U1", "U2")
MOST_SESSIONS = 4
STEPS_TO_REVIEW = 5
STEPS = st.one_of(st.just(STEPS_TO_REVIEW), st.integers(1, STEPS_TO_REVIEW))
ANY_PROCESS = st.integers(0, PROCESSES - 1)
ANY_SESSION = st.integers(0, MOST_SESSIONS - 1)
WHO = st.sampled_from(["owner", "owner", "owner", "stranger", "director"])
MARKS = st.sampled_from(["E1", "E2", "E3"])
NEWEST = ImageRef(-1)
"""Stands for the first image of the newest attempt."""
ANY_IMAGE = st.just(NEWEST) | st.builds(ImageRef, st.integers(0, 4), st.integers(1, 3))
ANY_END = st.sampled_from([*sorted(DECISIONS), "failed"])
ANY_DECISION = st.sampled_from(sorted(DECISIONS))
EVERY_RECORDING = sorted(recordings(ImageRef(1), ""))


class SessionMachine(Driver):
    """What may happen, and what always holds."""

    @initialize(past=st.lists(st.tuples(STEPS, ANY_END), max_size=3), steps=STEPS)
    def begin(self, past: list[tuple[int, str]], steps: int) -> None:
        """With a session that somebody has brought to some point."""
        self._run(self._start_processes())
        self.start(0, OWNERS[0], 0, 2)
        for done, what in past:
            self.work(0, 0, done)
            if what == "failed":
                self.record(0, 0, what, NEWEST, hold=False)
            else:
                self.decide(0, 0, what, NEWEST, "owner", f"{done}{what}")
        self.work(0, 0, steps)

    # people

    @precondition(lambda self: len(self._truth.raw) < MOST_SESSIONS)
    @rule(
        at=ANY_PROCESS, owner=st.sampled_from(OWNERS), seed=st.integers(1, 3), n=st.integers(1, 3)
    )
    def start(self, at: int, owner: str, seed: int, n: int) -> None:
        """A command; the same seed is the same command, delivered once more."""
        origin = RequestOrigin(
            "T1", somebody(owner), "C1", "https://hooks.invalid/1", f"{owner}{seed}"
        )
        starting = self._services(at).new_sessions.start(origin, f"a fox --n {n}")
        session = self._expect(starting, frozenset({Event.SUBMIT}))
        assert isinstance(session, Session)

    @precondition(lambda self: len(self._truth.raw) < MOST_SESSIONS)
    @rule(at=ANY_PROCESS, owner=st.sampled_from(OWNERS))
    def open_form(self, at: int, owner: str) -> None:
        """A command without words waits for its form."""
        origin = RequestOrigin(
            "T1", somebody(owner), "C1", "", f"form{len(self._ids)}", thread_ts="7.7"
        )
        self._expect(self._services(at).new_sessions.start(origin, "", may_wait=True), None)

    @precondition(lambda self: self._truth.raw)
    @rule(at=ANY_PROCESS, which=ANY_SESSION, who=WHO)
    def submit_form(self, at: int, which: int, who: str) -> None:
        async def submit(session_id: str, person: Person) -> Session:
            return await self._services(at).gateway.submit(session_id, person, "a fox", Options())

        session = self._session(which)
        if session is not None:
            self._by_person(submit, session, who, frozenset({Event.SUBMIT}))

    @precondition(lambda self: self._truth.raw)
    @rule(at=ANY_PROCESS, which=ANY_SESSION, who=WHO)
    def start_over(self, at: int, which: int, who: str) -> None:
        """The button, and its form right away. Anybody may."""

        async def restart(session_id: str, person: Person) -> Session:
            services = self._services(at)
            origin = RequestOrigin("T1", person, "C1", "", f"over{len(self._ids)}")
            _, new = await services.new_sessions.restart(origin, session_id)
            self._know(new.id)
            return await services.gateway.submit(new.id, person, "a fox", new.options)

        session = self._session(which)
        if session is not None:
            self._expect(restart(session.id, self._user(session, who)), None, writes=4)

    @precondition(lambda self: self._truth.raw)
    @rule(
        at=ANY_PROCESS,
        which=ANY_SESSION,
        what=ANY_DECISION,
        image=ANY_IMAGE,
        who=WHO,
        mark=MARKS,
    )
    def decide(self, at: int, which: int, what: str, image: ImageRef, who: str, mark: str) -> None:
        """A button or a form, also one that is not there (any more)."""
        session = self._session(which)
        if session is not None:
            decision, events = self._decision(at, what, _meant(image, session), mark)
            self._by_person(decision, session, who, events)

    @precondition(lambda self: self._truth.raw)
    @rule(
        at=ANY_PROCESS,
        which=ANY_SESSION,
        what=ANY_DECISION,
        image=ANY_IMAGE,
        who=WHO,
        mark=MARKS,
    )
    def decide_slowly(
        self, at: int, which: int, what: str, image: ImageRef, who: str, mark: str
    ) -> None:
        """The same, and others may be faster before it is written."""
        session = self._session(which)
        if session is not None:
            decision, events = self._decision(at, what, _meant(image, session), mark)
            self._hold(at, decision(session.id, self._user(session, who)), events)

    # workers

    @precondition(lambda self: self._truth.raw)
    @rule(
        at=ANY_PROCESS,
        which=ANY_SESSION,
        what=st.sampled_from(EVERY_RECORDING),
        image=ANY_IMAGE,
        hold=st.booleans(),
    )
    def record(self, at: int, which: int, what: str, image: ImageRef, hold: bool) -> None:
        """Of any attempt, in any order: the worker may have been taken for dead long since."""
        session = self._session(which)
        if session is None:
            return
        image = _meant(image, session)
        if image.attempt in range(1, len(session.attempts) + 1):
            fits = image.candidate <= len(session.attempt(image.attempt).candidates)
            self._record(at, session, what, image if fits else ImageRef(image.attempt), hold=hold)

    @precondition(lambda self: self._truth.raw)
    @rule(at=ANY_PROCESS, which=ANY_SESSION, steps=STEPS)
    def work(self, at: int, which: int, steps: int) -> None:
        """As it goes where nothing goes wrong."""
        for _ in range(steps):
            session = self._session(which)
            if session is None or not session.attempts:
                return
            self._record(at, session, next_recording(session), ImageRef(session.latest.number))

    @precondition(lambda self: self._truth.raw)
    @rule(at=ANY_PROCESS, which=ANY_SESSION, number=st.integers(0, 3))
    def keep_image(self, at: int, which: int, number: int) -> None:
        session, image = self._session(which), ImageRef(number)
        if session is not None:
            encoded = f"{IMAGE_MARK}{self._mark()}"
            store = self._processes[at].store
            self._run(store.keep_image(session.id, image, encoded))
            assert self._run(self._processes[0].store.load_image(session.id, image)) == encoded

    # time, and trouble

    @precondition(lambda self: self._held)
    @rule(which=st.integers(0, 9))
    def let_go(self, which: int) -> None:
        """What was decided before others were faster is written now, or decided anew."""
        held = self._held.pop(which % len(self._held))
        before = self._truth.raw
        outcome = self._run(outcome_of(held))
        self._check(before, outcome, held.events)

    @rule(at=ANY_PROCESS, which=ANY_SESSION, what=st.sampled_from(["sweep", "restart", "expire"]))
    def pass_time(self, at: int, which: int, what: str) -> None:
        """The list of the unfinished is swept; a process dies, with what it held; a session's time
        is over."""
        match what:
            case "sweep":
                self._run(self._sweep(at))
            case "restart":
                self._run(self._restart(at))
            case _ if len(self._truth.raw) > 1:
                session = self._session(which)
                assert session is not None
                self._redis.delete(session_key(session.id))
                self._truth.raw = self._truth.look()

    # what always holds

    @invariant()
    def nothing_else_has_changed(self) -> None:
        assert self._truth.look() == self._truth.raw

    @invariant()
    def all_of_it_is_lawful(self) -> None:
        self._truth.check_encoding()
        self._truth.check_lists()
        self._truth.check_keys()
        self._truth.check_record()


def _meant(image: ImageRef, session: Session) -> ImageRef:
    return ImageRef(len(session.attempts)) if image == NEWEST else image
