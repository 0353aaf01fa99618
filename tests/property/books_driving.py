"""How the machine of the books does things, and what it compares."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count as counting
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from hypothesis.stateful import RuleBasedStateMachine

from bot.adapters.redis import RedisBooks, RedisSessionStore, redis_client
from bot.adapters.redis.schema import holds_key, ledger_key, session_key
from bot.concurrency import BackgroundTasks
from bot.domain.attempt import MAX_PAID_CALLS, ImageRef
from bot.domain.books import books_of, call_ended
from bot.domain.call_defaults import Defaults
from bot.domain.costs import Cost, Usage, day_of, month_of
from bot.domain.errors import PaidCallLimitReached
from bot.domain.failures import FailureKind
from bot.domain.generation import LOST, image_failed, paid_call_counted, started
from bot.domain.limits import LimitReached, Limits, Quota
from bot.domain.policy import Policy
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.jobs.hold_sweeper import HoldSweeper
from bot.service.access import AccessControl
from bot.service.budgets import Budgets
from bot.service.gateway import AttemptGateway
from tests.property.processes import PATIENCE, SESSION_TTL

TEAM, USERS, CHANNELS = "T1", ("U1", "U2"), ("C1", "C2")
EACH = 1_000
PLENTY = Limits()
DAY = 86_400.0
ZONE = ZoneInfo("America/Santiago")
"""Its clocks change at midnight."""
BEGIN = 1_788_480_000.0
"""2026-09-03, three days before they do."""


class _Prices:
    """1,000 micro-dollars are held for an image, and an answer's tokens are what it costs."""

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        return Cost(usage.text_out or EACH, "test", known=True)


@dataclass
class Run:
    """A worker's run that has made a call; `charged` is None where the provider took nothing."""

    id: str
    session_id: str
    image: ImageRef
    number: int
    charged: int | None

    @property
    def call(self) -> str:
        image = self.image
        return f"{self.session_id}.{image.attempt}.{image.candidate}.{self.number}"


class BooksDriver(RuleBasedStateMachine):
    """`charged`: call → micro-dollars of the provider's book. `reached`: what examples came to."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._runner = asyncio.Runner()
        self._redis: Any = redis_client(url, PATIENCE)
        self._do(self._redis.flushall())
        self.now, self.limits = BEGIN, PLENTY
        self.store = RedisSessionStore(
            self._redis, session_ttl=SESSION_TTL, image_ttl=SESSION_TTL, patience=PATIENCE
        )
        self.books = RedisBooks(self._redis, ledger_ttl=SESSION_TTL, patience=PATIENCE)
        self.sweeper = HoldSweeper(self.books, self.store, self, quiet_for=-1.0)
        defaults = Defaults("m", "", "1024x1024", "low")
        budgets = Budgets(self.books, _Prices(), self._limits_of, defaults, ZONE, lambda: self.now)
        passing = counting(BEGIN, 5.0)  # nobody waits for a record that a click has overtaken
        self.gateway = AttemptGateway(
            self.store,
            BackgroundTasks(),
            AccessControl(self.store, Policy(), lambda: next(passing)),
            lambda: self.now,
            rules=(budgets,),
            reserve=budgets.reserve,
        )
        self.ids: list[str] = []
        self.runs: list[Run] = []
        self.charged: dict[str, int] = {}
        self._number = 0

    def _do(self, work: Any) -> Any:
        return self._runner.run(work)

    async def _limits_of(self, team: str, channel: str, user: str) -> Limits:
        return self.limits

    # heartbeats of runs

    async def is_alive(self, run_id: str) -> bool:
        return any(run.id == run_id for run in self.runs)

    async def begin(self, run_id: str) -> None: ...

    async def end(self, run_id: str) -> None: ...

    def _begin(self, asked: list[Any], user: str, channel: str, count: int) -> None:
        before = self._counted(user, channel)

        async def together() -> list[Any]:
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = self._do(together())
        begun = sum(not isinstance(answer, BaseException) for answer in answers)
        after = self._counted(user, channel)
        for quota in Quota:
            limit = self.limits.of(quota)
            if limit is not None and begun and after[quota] > before[quota]:
                assert after[quota] <= limit, (quota, answers)
        for answer in answers:
            assert not isinstance(answer, BaseException) or isinstance(answer, Refusal), answer
            if isinstance(answer, LimitReached):
                self._check_refusal(answer, after, count)
            self.reached[type(answer).__name__] += 1

    def _check_refusal(self, refused: LimitReached, after: Counter[str], count: int) -> None:
        """One at once with another may be told of the moment between: no less is left now."""
        standing = refused.standing
        each = 1 if standing.quota is Quota.USER_IMAGES else EACH
        assert standing.used <= after[standing.quota]
        assert standing.used + count * each > standing.limit
        assert refused.asked == count
        assert 0 <= refused.fitting < count

    def _limit_of_calls(self, session: Session, image: ImageRef, run_id: str) -> None:
        self._write(session, lambda s: started(s, image, run_id, 1.0))
        try:
            self._write(
                session, lambda s: paid_call_counted(s, image, run_id, MAX_PAID_CALLS, LOST)
            )
        except PaidCallLimitReached:
            kind = FailureKind.INTERNAL
            self._write(
                session,
                lambda s: call_ended(
                    image_failed(s, image, run_id, kind, "", 1.0), image, MAX_PAID_CALLS, LOST
                ),
            )

    def _sweep(self, at_once: int) -> None:
        async def together() -> None:
            await asyncio.gather(*(self.sweeper.sweep() for _ in range(at_once)))

        self._do(together())

    def _expire(self, session: Session | None) -> None:
        if session is not None:
            self._do(self._redis.delete(session_key(session.id)))

    def _end(self) -> None:
        """All workers die, the sessions expire, and the sweep leaves nothing held."""
        self.runs.clear()
        self._sweep(1)
        self._check_books()
        held = {id_.rsplit(".", 3)[0] for id_ in self._held()}
        owed = {
            session.id
            for session in self._do(self.store.load_many(self.ids))
            if session.stage is Stage.GENERATING
        }
        assert held <= owed, "a hold that no job will settle"
        for _ in self._living():
            self._expire(self._session(0))
        self._sweep(2)
        assert not self._held()
        self._check_books()

    def _check_books(self) -> None:
        held, written = self._held(), self._lines()
        states = defaultdict(list)
        for line in written:
            states[line["id"]].append(line["state"])
        lawful = (["measured"], ["estimated"], ["estimated", "measured"])
        assert all(said in lawful for said in states.values()), states
        last = {line["id"]: line for line in written}
        assert not held.keys() & last.keys()
        for call, micro in self.charged.items():
            assert call in last or call in held, f"{call} was charged and is in no book"
            if call in last and last[call]["state"] == "measured":
                assert last[call]["micro"] == micro
        assert all(call in self.charged for call in last if states[call][-1] == "measured")
        self._check_holds(held)
        self._check_counters(held, last)

    def _check_holds(self, held: dict[str, str]) -> None:
        sessions = self._do(self.store.load_many(self.ids))
        wanted = {id_ for session in sessions for id_ in books_of(session).holds}
        living = {session.id for session in sessions}
        assert {id_ for id_ in held if id_.rsplit(".", 3)[0] in living} == wanted

    def _check_counters(self, held: dict[str, str], last: dict[str, Any]) -> None:
        entries = [*last.values(), *(_line_of(text) for text in held.values())]
        images = defaultdict(set)
        spent: Counter[str] = Counter()
        for entry in entries:
            images[entry["user"]].add(entry["id"].rpartition(".")[0])
            for name in (f"user:{entry['user']}", f"channel:{entry['channel']}", "workspace"):
                spent[name] += entry["micro"]
        counted = self._counters("spent")
        assert +counted == +spent
        asked = self._counters("asked")
        assert +asked == Counter({user: len(each) for user, each in images.items()})
        assert min([*counted.values(), *asked.values()], default=0) >= 0

    # helpers

    def _held(self) -> dict[str, str]:
        held: dict[str, str] = self._do(self._redis.hgetall(holds_key(TEAM)))
        return held

    def _lines(self) -> list[dict[str, Any]]:
        entries = self._do(self._redis.xrange(ledger_key(TEAM)))
        return [json.loads(fields["line"]) for _, fields in entries]

    def _counters(self, kind: str) -> Counter[str]:
        """Of all days or months together."""
        found: Counter[str] = Counter()
        for key in self._do(self._redis.keys(f"imagine:{{{TEAM}}}:{kind}:*")):
            found.update({k: int(n) for k, n in self._do(self._redis.hgetall(key)).items()})
        return found

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _living(self) -> list[str]:
        return [session.id for session in self._do(self.store.load_many(self.ids))]

    def _session(self, which: int, *, generating: bool | None = None) -> Session | None:
        sessions: list[Session] = self._do(self.store.load_many(self.ids))
        if generating is not None:
            sessions = [s for s in sessions if (s.stage is Stage.GENERATING) is generating]
        return sessions[which % len(sessions)] if sessions else None

    def _write(self, session: Session, change: Callable[[Session], Session]) -> Session:
        written: Session = self._do(self.store.update(session.id, change))
        return written

    def _counted(self, user: str, channel: str) -> Counter[str]:
        day = day_of(self.now, ZONE)
        spent = self._do(self.books.spent(TEAM, user, channel, day, month_of(day)))
        return Counter(dict(zip(Quota, spent, strict=True)))


def _line_of(text: str) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(text)["line"]
    return line
