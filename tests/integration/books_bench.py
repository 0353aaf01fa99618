"""A store with its books, for the tests of what commits write into them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from bot.adapters.redis import RecordPolicy, RedisBooks, RedisRecord, RedisSessionStore
from bot.concurrency import BackgroundTasks
from bot.domain.attempt import ImageRef
from bot.domain.books import call_ended
from bot.domain.call_defaults import Defaults
from bot.domain.costs import CallOutcome, CallState, Cost, Usage
from bot.domain.failures import FailureKind
from bot.domain.generation import announced, attempt_failed, image_made, paid_call_counted
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.policy import Person, Policy
from bot.domain.session import Session
from bot.jobs.hold_sweeper import HoldSweeper
from bot.service.access import AccessControl
from bot.service.budgets import Budgets
from bot.service.gateway import AttemptGateway
from tests.fakes import CHANNEL, IMAGE, OWNER, always
from tests.support.ledger import counters, lines

EACH = 1_000
ME = Person("T1", OWNER)
FIRST = ImageRef(1)


class Prices:
    """1,000 micro-dollars for every call."""

    each = EACH

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        return Cost(self.each, "test", known=bool(self.each))


class Runs:
    """No run lives, but for these."""

    def __init__(self) -> None:
        self.alive: set[str] = set()

    async def is_alive(self, run_id: str) -> bool:
        return run_id in self.alive

    async def begin(self, run_id: str) -> None: ...

    async def end(self, run_id: str) -> None: ...


class Bench:
    """A store with its books, a gateway with limits, and a sweep that waits for nothing."""

    def __init__(self, redis: Redis, url: str, limits: Limits, patience: float = 5.0) -> None:
        self.url = url
        self.now = 1_790_000_000.0
        self.zone = ZoneInfo("UTC")
        self.store = RedisSessionStore(redis, session_ttl=600, image_ttl=600, patience=patience)
        self.books = RedisBooks(redis, ledger_ttl=3600, patience=patience)
        self.record = RedisRecord(redis, patience, RecordPolicy())
        self.runs = Runs()
        self.sweeper = HoldSweeper(self.books, self.store, self.runs, quiet_for=-1.0)
        defaults = Defaults("m", "", "1024x1024", "low")
        self.budgets = Budgets(
            self.books,
            Prices(),
            always(limits),
            defaults,
            self.zone,
            lambda: self.now,
            frozenset({"UBOSS"}),
        )
        self.gateway = AttemptGateway(
            self.store,
            BackgroundTasks(),
            AccessControl(self.store, Policy(), lambda: self.now),
            lambda: self.now,
            rules=(self.budgets,),
            reserve=self.budgets.reserve,
            record=self.record,
        )

    async def ask(self, token: str = "one", count: int = 1, user: str = OWNER) -> Session:
        session = Session(f"T1.{user}.{token}", "T1", user, CHANNEL, options=Options(count=count))
        return await self.gateway.create(session, Person("T1", user), "a fox")

    async def call(self, session: Session, run: str = "run", image: ImageRef = FIRST) -> Session:
        def change(s: Session) -> Session:
            before = s.attempt(image.attempt).candidate(image.candidate).paid_calls
            return paid_call_counted(announced(s, image.attempt), image, run, before)

        return await self.store.update(session.id, change)

    async def end(self, session: Session, end: CallOutcome, number: int = 1) -> Session:
        return await self.store.update(session.id, lambda s: call_ended(s, FIRST, number, end))

    async def fail(self, session: Session) -> Session:
        return await self.store.update(
            session.id, lambda s: attempt_failed(s, 1, FailureKind.TIMED_OUT, "w", "7.0", 1.0)
        )

    async def made(self, session: Session) -> Session:
        return await self.store.update(session.id, lambda s: image_made(s, FIRST, IMAGE, 5.0))

    async def counted(self) -> tuple[int, int]:
        """Images, and micro-dollars of the workspace."""
        images, spent = await counters(self.url, "asked"), await counters(self.url, "spent")
        return images.total(), spent["workspace"]

    async def states(self) -> list[str]:
        return [line["state"] for line in await lines(self.url)]


MEASURED = CallOutcome(CallState.MEASURED, Usage(image_out=5), Cost(700, "test", known=True))
FREE = CallOutcome(CallState.FREE)
