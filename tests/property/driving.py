"""How the machine does things: at once or held back, and what it looks at afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, ClassVar, NamedTuple

import redis
from hypothesis.stateful import RuleBasedStateMachine

from bot.adapters.redis.session_fields import from_fields
from bot.domain.attempt import ImageRef
from bot.domain.jobs import due_jobs
from bot.domain.policy import Person
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.stages import Event
from bot.service import Services
from tests.fakes import somebody
from tests.property.people import DECISIONS, OTHER_DIRECTOR, STRANGERS, recordings
from tests.property.processes import Process
from tests.property.truth import Truth, check_step

PROCESSES = 3

Events = frozenset[Event] | None


class Held(NamedTuple):
    """A change that a process has decided on and not written yet."""

    process: int
    gate: asyncio.Event
    task: asyncio.Task[Session]
    events: Events


class Driver(RuleBasedStateMachine):
    """`reached`: the pairs of the table that any example went through, and what else it met."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._runner = asyncio.Runner()
        self._redis = redis.Redis.from_url(url, decode_responses=True)
        self._redis.flushall()
        self._truth = Truth(self._redis)
        self._processes: list[Process] = []
        self._held: list[Held] = []
        self._ids: list[str] = []
        self._marks = 0

    def teardown(self) -> None:
        if self._processes:
            for at in range(PROCESSES):
                self._run(self._stop(at))
        self._redis.close()
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def _services(self, at: int) -> Services:
        return self._processes[at].services

    def _mark(self) -> str:
        self._marks += 1
        return f"M{self._marks}"

    def _know(self, session_id: str) -> None:
        if session_id not in self._ids:
            self._ids.append(session_id)

    def _session(self, which: int) -> Session | None:
        """As it is in Redis; None where all have expired."""
        living = list(self._truth.raw.values())
        return from_fields(living[which % len(living)]) if living else None

    def _decision(self, at: int, what: str, image: ImageRef, mark: str) -> tuple[Any, Events]:
        decide, events = DECISIONS[what]

        def decision(session_id: str, person: Person) -> Any:
            return decide(self._services(at), session_id, image, person, mark)

        return decision, events

    def _user(self, session: Session, who: str) -> Person:
        """A stranger is somebody who neither owns the session nor directs all of them."""
        stranger = next(user for user in STRANGERS if user != session.user)
        user = {"owner": session.user, "director": OTHER_DIRECTOR}.get(who, stranger)
        return somebody(user)

    def _record(
        self, at: int, session: Session, what: str, image: ImageRef, *, hold: bool = False
    ) -> None:
        change, event = recordings(image, self._mark())[what]
        events = frozenset({event} if event else ())
        updating = self._processes[at].store.update(session.id, change)
        if hold:
            self._hold(at, updating, events)
        else:
            self._expect(updating, events)

    def _by_person(
        self,
        decision: Any,
        session: Session,
        who: str,
        events: Events,
        writes: int = 1,
    ) -> None:
        outcome = self._expect(decision(session.id, self._user(session, who)), events, writes)
        if who == "stranger":
            assert isinstance(outcome, Refusal)
            assert outcome.reason is Reason.NOT_ALLOWED
            self.reached["stranger"] += 1

    def _expect(
        self,
        work: Coroutine[Any, Any, Session],
        events: Events,
        writes: int = 2,
    ) -> Session | Refusal:
        """Do it, and look what has changed."""
        before = self._truth.raw
        outcome: Session | Refusal = self._run(_ended(work))
        self._check(before, outcome, events, writes)
        return outcome

    def _check(
        self,
        before: dict[str, dict[str, str]],
        outcome: Session | Refusal | None,
        events: Events,
        writes: int = 2,
    ) -> None:
        if isinstance(outcome, Session):
            self._know(outcome.id)
        after = self._truth.raw = self._truth.look()
        changed = [each for each in after if before.get(each) != after[each]]
        if not isinstance(outcome, Session):
            assert changed == []
            self.reached[f"refused: {outcome.reason}" if outcome else "lost"] += 1
        assert len(changed) <= writes
        for each in changed:
            self._check_one(before.get(each), after[each], events)

    def _check_one(
        self,
        before: dict[str, str] | None,
        after: dict[str, str],
        events: Events,
    ) -> None:
        new = from_fields(after)
        if before is None:
            self.reached["created"] += 1
            return
        old = from_fields(before)
        event = check_step(old, new, events)
        self.reached[f"{old.stage} {event}" if event else "recorded"] += 1

    def _hold(self, at: int, work: Coroutine[Any, Any, Session], events: Events) -> None:
        """Until it wants to write; what changes nothing has ended by then."""
        self._held.append(self._run(self._begin(at, work, events)))

    async def _begin(self, at: int, work: Coroutine[Any, Any, Session], events: Events) -> Held:
        with self._processes[at].holding() as gate:
            task = asyncio.ensure_future(work)
            await self._processes[at].reached_write(task)
        return Held(at, gate, task, events)

    async def _start_processes(self) -> None:
        self._processes = [Process(self._url) for _ in range(PROCESSES)]

    async def _restart(self, at: int) -> None:
        await self._stop(at)
        self._processes[at] = Process(self._url)

    async def _stop(self, at: int) -> None:
        dying = [held for held in self._held if held.process == at]
        self._held = [held for held in self._held if held.process != at]
        for held in dying:
            held.task.cancel()
            await asyncio.gather(held.task, return_exceptions=True)
        await self._processes[at].stop()

    async def _sweep(self, at: int) -> None:
        store = self._processes[at].store
        for entry in await store.unfinished(0.0):
            try:
                session = await store.load(entry.session_id)
            except Refusal:
                await store.remove_unfinished(entry)
            else:
                if not due_jobs(session):
                    await store.remove_unfinished(entry)


async def _ended(work: Coroutine[Any, Any, Session]) -> Session | Refusal:
    try:
        return await work
    except Refusal as refusal:
        return refusal


async def outcome_of(held: Held) -> Session | Refusal:
    """Write it now."""
    held.gate.set()
    return await _ended(held.task)  # type: ignore[arg-type]
