"""`RedisRateLimiter`: Slack's rate limits, kept by all processes together.

A call takes a ticket in its class and sleeps until it is due; only a call that is due is made:
nobody tries meanwhile. The tickets are in Redis (`pace_scripts`), so that a call of a higher class
goes before those that wait, in whatever process they are. The calls of one process that wait for
one budget stand in a line, and one of them asks for all, when the first of the line is due: so many
that wait ask no more often than one. While Redis is away, each process paces itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import insort
from dataclasses import dataclass, field
from uuid import uuid4

from redis.asyncio import Redis

from bot.adapters.redis.own_pace import LocalRateLimiter
from bot.adapters.redis.pace_scripts import Answer, PaceScripts, Question
from bot.concurrency import wait_for_event
from bot.domain.errors import SlackBusy, StoreUnavailable
from bot.ports import Budget, Priority, Turn
from bot.work_slots import without_slot

log = logging.getLogger(__name__)

_WITHOUT_END = 3_600.0
_AWAY_FOR = 2.0
"""Seconds for which Redis is not asked again after it has failed."""


@dataclass(order=True)
class _Waiter:
    """A call in a line, which is in the order of `score`. `woken`: its turn has come, or it is its
    turn to ask."""

    score: float
    ticket: str
    budget: Budget = field(compare=False)
    priority: Priority = field(compare=False)
    owner: str = field(compare=False)
    woken: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


@dataclass
class _Line:
    """The calls of this process that wait for one budget, the first one first. `asker` asks for
    all, at `ask_at` (monotonic). `given_up`: tickets that Redis does not know of yet. `is_lost`:
    Redis took this process for dead, and has dropped its tickets."""

    waiters: list[_Waiter] = field(default_factory=list)
    asker: _Waiter | None = None
    ask_at: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: list[str] = field(default_factory=list)
    is_lost: bool = False

    def add(self, waiter: _Waiter, nap: float) -> None:
        """Add a call that has to ask again in `nap` seconds."""
        ask_at = time.monotonic() + nap
        if not self.waiters or ask_at < self.ask_at:
            self.ask_at = ask_at
            self.changed.set()
        insort(self.waiters, waiter)

    def leave(self, waiter: _Waiter) -> None:
        """The call has its turn, or gives up. Where it was the one that asks, another asks now."""
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            self.given_up.append(waiter.ticket)
        if self.asker is waiter:
            self.asker = None
        if self.asker is None and self.waiters:  # the one that was woken to ask may be leaving
            self.waiters[0].woken.set()


class RedisRateLimiter:
    """Implements `bot.ports.RateLimiter` for one workspace. `patience` bounds each call of Redis,
    in seconds."""

    def __init__(self, redis: Redis, team: str, patience: float) -> None:
        self._scripts = PaceScripts(redis, team, uuid4().hex, patience)
        self._own = LocalRateLimiter()
        self._away_until = 0.0
        self._lines: dict[str, _Line] = {}

    async def take(
        self,
        budget: Budget,
        priority: Priority,
        patience: float | None = None,
        *,
        expected: str = "",
        owner: str = "",
    ) -> None:
        until = time.monotonic() + (_WITHOUT_END if patience is None else patience)
        new = Question(budget, priority, expected=expected, owner=owner)
        while True:
            left = max(0.0, until - time.monotonic())
            new = new._replace(ticket=uuid4().hex, longest=left)
            try:
                turn = await self._ask_first(new)
                new = new._replace(score=turn.score)
                if not turn.granted:
                    await self._stand_in_line(new, turn)
            except StoreUnavailable:
                left = max(0.0, until - time.monotonic())
                if await self._own.took_within(budget, left, _AWAY_FOR):
                    return
            else:
                self._own.taken(budget)
                return

    async def hold(self, budget: Budget, seconds: float) -> None:
        await self._own.hold(budget, seconds)
        try:
            await self._scripts.hold(budget, seconds)
        except StoreUnavailable as error:
            log.info("other processes do not know that Slack is busy: %s", error)

    async def wait(
        self, budget: Budget, priority: Priority, *, expected: str = "", owner: str = ""
    ) -> Turn:
        try:
            turn = await self._ask(Question(budget, priority, expected=expected, owner=owner))
        except StoreUnavailable:
            return await self._own.wait(budget, priority)
        return Turn(turn.ahead, turn.seconds)

    async def _ask_first(self, new: Question) -> Answer:
        """Take the ticket. Raises `SlackBusy` for one that would not be due in time."""
        line = self._lines.get(new.budget.name, _Line())
        following = line.waiters[0].ticket if line.waiters else ""
        try:
            turn = await self._ask_in(line, new._replace(following=following))
        except asyncio.CancelledError:
            self._lines.setdefault(new.budget.name, line).given_up.append(new.ticket)
            raise
        if not turn.granted and turn.seconds > new.longest:
            raise SlackBusy(turn.seconds)
        return turn

    async def _stand_in_line(self, question: Question, turn: Answer) -> None:
        """Sleep until the call may be made. Raises `SlackBusy` where that takes too long."""
        budget = question.budget
        line = self._lines.setdefault(budget.name, _Line())
        waiter = _Waiter(turn.score, question.ticket, budget, question.priority, question.owner)
        line.add(waiter, turn.nap)
        try:
            async with asyncio.timeout(question.longest):
                with without_slot(turn.seconds):
                    await self._wait_in(line, waiter)
        except TimeoutError:
            raise SlackBusy(max(1.0, line.ask_at - time.monotonic())) from None
        finally:
            line.leave(waiter)
            if not line.waiters and not line.given_up:
                self._lines.pop(budget.name, None)

    async def _wait_in(self, line: _Line, waiter: _Waiter) -> None:
        while waiter in line.waiters:
            line.asker = line.asker or waiter
            if line.asker is not waiter:
                await waiter.woken.wait()
                waiter.woken.clear()
            elif (nap := line.ask_at - time.monotonic()) > 0:
                line.changed.clear()
                await wait_for_event(line.changed, nap)
            else:
                await self._ask_for_all(line)

    async def _ask_for_all(self, line: _Line) -> None:
        first, *others = line.waiters
        again = [(other.ticket, other.score) for other in others] if line.is_lost else []
        question = Question(first.budget, first.priority, first.ticket, first.score, _WITHOUT_END)
        following = others[0].ticket if others else ""
        question = question._replace(owner=first.owner, following=following, again=again)
        turn = await self._ask_in(line, question)
        line.is_lost = not turn.known
        line.ask_at = time.monotonic() + (0.0 if line.is_lost else turn.nap)
        if turn.granted and first in line.waiters:
            line.waiters.remove(first)
            first.woken.set()

    async def _ask_in(self, line: _Line, question: Question) -> Answer:
        """Ask, and say which tickets are given up."""
        given_up, line.given_up = line.given_up, []
        try:
            return await self._ask(question._replace(given_up=given_up))
        except BaseException:
            line.given_up += given_up
            raise

    async def _ask(self, question: Question) -> Answer:
        if (now := time.monotonic()) < self._away_until:
            raise StoreUnavailable("it was away just now")
        if self._away_until:  # one call asks whether it is back
            self._away_until = now + _AWAY_FOR
        try:
            answer = await self._scripts.ask(question)
        except StoreUnavailable:
            self._away_until = time.monotonic() + _AWAY_FOR
            raise
        self._away_until = 0.0
        return answer
