"""Slack's rate limits as several processes share them, in a real Valkey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import redis_client
from bot.adapters.redis.pace import RedisRateLimiter
from bot.adapters.redis.pace_scripts import SPACED_BY, Answer, PaceScripts, Question
from bot.adapters.redis.schema import pace_key
from bot.domain.errors import SlackBusy
from bot.jobs.sweeper import INTERVAL as SWEEP
from bot.ports import Budget, Priority

CHANNEL = Budget("C1", 20.0)
"""Twenty a second: 50 ms apart."""
GAP = 0.05
SLACK = 0.02
"""Seconds by which a busy machine is early or late between Redis and here."""


async def until_waiting(url: str, budget: Budget, calls: int) -> None:
    """Wait until so many calls have their tickets."""
    async with Redis.from_url(url) as redis, asyncio.timeout(5):
        while await redis.zcard(f"{pace_key('T1', budget.name)}:tickets") != calls:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def paces(
    url: str, count: int, patience: float = 5.0
) -> AsyncIterator[list[RedisRateLimiter]]:
    clients = [redis_client(url, patience) for _ in range(count)]
    try:
        yield [RedisRateLimiter(client, "T1", patience) for client in clients]
    finally:
        for client in clients:
            await client.aclose()


async def test_several_processes_together_keep_to_the_rate(redis_url: str) -> None:
    """By the clock of Redis: each call moves the budget on by its gap, from then or from where it
    was."""
    budget_key = pace_key("T1", CHANNEL.name)
    async with paces(redis_url, 3) as processes, Redis.from_url(redis_url) as redis:
        await processes[0].take(CHANNEL, Priority.ROOT)
        before = float(await redis.get(budget_key) or 0)
        calls = (p.take(CHANNEL, Priority.ROOT) for p in processes for _ in range(10))
        await asyncio.gather(*calls)
        assert float(await redis.get(budget_key) or 0) - before >= 30 * 1000 * GAP


async def test_a_burst_goes_at_once_after_a_pause(redis_url: str) -> None:
    budget = Budget("chat.update", 2.0, burst=5)
    async with paces(redis_url, 1) as (pace,):
        before = time.monotonic()
        for _ in range(5):
            await pace.take(budget, Priority.EDIT)
        assert time.monotonic() - before < 0.3
        with pytest.raises(SlackBusy) as refused:
            await pace.take(budget, Priority.EDIT, patience=0)
        assert 0.2 < refused.value.retry_after <= 0.5


async def test_a_higher_class_goes_before_those_that_wait(redis_url: str) -> None:
    order = list[Priority]()
    async with paces(redis_url, 2) as (one, other):

        async def call(pace: RedisRateLimiter, priority: Priority) -> None:
            await pace.take(CHANNEL, priority)
            order.append(priority)

        await one.hold(CHANNEL, 1.0)
        waiting = [asyncio.create_task(call(one, Priority.EDIT)) for _ in range(2)]
        waiting += [asyncio.create_task(call(other, Priority.ROOT)) for _ in range(2)]
        await until_waiting(redis_url, CHANNEL, 4)
        await one.hold(CHANNEL, 1.0)
        waiting += [asyncio.create_task(call(other, Priority.ANSWER))]
        waiting += [asyncio.create_task(call(one, Priority.DRAFT))]
        await asyncio.gather(*waiting)
    assert order == sorted(order)


async def test_those_of_a_class_go_in_the_order_in_which_they_asked(redis_url: str) -> None:
    order = list[int]()
    async with paces(redis_url, 2) as processes:

        async def call(number: int) -> None:
            await processes[number % 2].take(CHANNEL, Priority.DRAFT)
            order.append(number)

        await processes[0].hold(CHANNEL, 1.0)
        calls = []
        for number in range(12):
            calls.append(asyncio.create_task(call(number)))
            await until_waiting(redis_url, CHANNEL, number + 1)
        await asyncio.gather(*calls)
    assert order == list(range(12))


async def test_a_pause_that_slack_asks_for_holds_all_processes(redis_url: str) -> None:
    async with paces(redis_url, 2) as (one, other):
        await one.hold(CHANNEL, 0.5)
        before = time.monotonic()
        await asyncio.gather(*(p.take(CHANNEL, Priority.ANSWER) for p in (one, other, one)))
        assert 0.5 + 2 * GAP - SLACK <= time.monotonic() - before < 1.0
        await other.hold(Budget("C2", 1.0, burst=4), 0.3)
        assert (await one.wait(Budget("C2", 1.0, burst=4), Priority.ROOT)).seconds > 0.2


async def test_channels_and_workspaces_do_not_hold_each_other_up(redis_url: str) -> None:
    async with paces(redis_url, 1) as (pace,), Redis.from_url(redis_url) as redis:
        await pace.hold(CHANNEL, 60.0)
        await asyncio.wait_for(pace.take(Budget("C2", 20.0), Priority.EDIT), 1.0)
        elsewhere = RedisRateLimiter(redis, "T2", 5.0)
        await asyncio.wait_for(elsewhere.take(CHANNEL, Priority.EDIT), 1.0)


async def test_the_ticket_of_a_call_that_gave_up_costs_no_slot(redis_url: str) -> None:
    """As of a process that was killed: it does not come back."""
    budget = Budget("C1", 4.0)
    async with paces(redis_url, 2) as (one, other):
        await one.hold(budget, 1.0)
        gone = [asyncio.create_task(one.take(budget, Priority.ANSWER)) for _ in range(12)]
        await until_waiting(redis_url, budget, 12)
        for task in gone:
            task.cancel()
        before = time.monotonic()
        await other.take(budget, Priority.ROOT)
        assert time.monotonic() - before < 2.5  # with their slots, 4 s


async def test_what_waits_is_told_and_nothing_stays_in_redis(redis_url: str) -> None:
    async with paces(redis_url, 1) as (pace,), Redis.from_url(redis_url) as redis:
        await pace.take(CHANNEL, Priority.ROOT)
        await pace.hold(CHANNEL, 2.0)
        waiting = [asyncio.create_task(pace.take(CHANNEL, Priority.ROOT)) for _ in range(3)]
        async with asyncio.timeout(5):
            while (turn := await pace.wait(CHANNEL, Priority.ROOT)).ahead < 3:
                await asyncio.sleep(0.01)
        assert turn.ahead == 3
        assert 1.0 < turn.seconds < 2.2
        assert (await pace.wait(CHANNEL, Priority.ANSWER)).ahead == 0
        await asyncio.gather(*waiting)
        keys = await redis.keys("*")
        assert keys == [b"imagine:{T1}:pace:C1"]
        assert 0 < await redis.pttl(keys[0]) < 70_000


async def test_without_redis_a_process_paces_itself() -> None:
    async with paces("redis://127.0.0.1:1", 1, patience=0.05) as (pace,):
        before = time.monotonic()
        for _ in range(4):
            await pace.take(Budget("C1", 5.0), Priority.ROOT)
        assert time.monotonic() - before >= 0.6 - SLACK
        await pace.hold(Budget("C1", 5.0), 9.0)
        with pytest.raises(SlackBusy):
            await pace.take(Budget("C1", 5.0), Priority.ROOT, patience=1.0)


@pytest.mark.parametrize("many", [20, 40])
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_crowd_asks_once_a_call_and_once_for_each_that_is_made(
    redis_url: str, many: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process asks when the first of its calls should be due."""
    asked = count_questions(monkeypatch)
    async with paces(redis_url, processes) as them:
        budget = Budget("C1", 50.0)
        calls = (them[n % processes].take(budget, Priority.ROOT) for n in range(many))
        await asyncio.gather(*calls)
    assert len(asked) <= (1 + processes) * many


def count_questions(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """Every question that is put to Redis from now on."""
    asked = list[Question]()
    ask = PaceScripts.ask

    async def counted(scripts: PaceScripts, question: Question) -> Answer:
        asked.append(question)
        return await ask(scripts, question)

    monkeypatch.setattr(PaceScripts, "ask", counted)
    return asked


async def test_who_waits_asks_no_more_often_with_others_behind(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = Budget("C1", 2.0)
    async with paces(redis_url, 1) as (pace,):
        await pace.hold(budget, 1.9)
        calls = [asyncio.create_task(pace.take(budget, Priority.ROOT)) for _ in range(50)]
        await until_waiting(redis_url, budget, 50)
        asked = count_questions(monkeypatch)
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        assert len(asked) <= 2  # on the way, and when it is due
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_the_tickets_of_a_killed_process_are_gone_within_a_sweep(redis_url: str) -> None:
    budget = Budget("C1", 0.1)
    key = pace_key("T1", budget.name)
    async with paces(redis_url, 1) as (pace,), Redis.from_url(redis_url) as redis:
        await pace.take(budget, Priority.ROOT)
        calls = [asyncio.create_task(pace.take(budget, Priority.ROOT)) for _ in range(3)]
        await until_waiting(redis_url, budget, 3)
        for part in ("tickets", "missed"):
            assert 0 < await redis.pttl(f"{key}:{part}") <= 1000 * SWEEP
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_call_that_is_given_up_leaves_no_ticket_while_its_process_lives(
    redis_url: str,
) -> None:
    budget = Budget("C1", 2.0)
    async with paces(redis_url, 1) as (pace,):
        await pace.hold(budget, 1.9)
        given_up = [asyncio.create_task(pace.take(budget, Priority.ANSWER)) for _ in range(4)]
        kept = [asyncio.create_task(pace.take(budget, Priority.ROOT)) for _ in range(2)]
        await until_waiting(redis_url, budget, 6)
        for call in given_up:
            call.cancel()
        await asyncio.gather(*kept)
        await until_waiting(redis_url, budget, 0)
        assert (await pace.wait(budget, Priority.EDIT)).ahead == 0


async def test_a_process_that_was_taken_for_dead_has_its_old_places(redis_url: str) -> None:
    budget, order = Budget("C1", 5.0), list[str]()
    async with paces(redis_url, 2) as (one, other), Redis.from_url(redis_url) as redis:

        async def call(pace: RedisRateLimiter, name: str) -> None:
            await pace.take(budget, Priority.ROOT)
            order.append(name)

        await one.hold(budget, 1.9)
        calls = []
        for n in range(3):
            calls.append(asyncio.create_task(call(one, f"early {n}")))
            await until_waiting(redis_url, budget, n + 1)
        key = pace_key("T1", budget.name)
        await redis.delete(f"{key}:tickets", f"{key}:missed")
        calls += [asyncio.create_task(call(other, f"late {n}")) for n in range(2)]
        await asyncio.gather(*calls)
    assert [name for name in order if name.startswith("early")] == ["early 0", "early 1", "early 2"]
    assert order[-1].startswith("late")


async def test_who_asks_for_many_lets_others_pass_between(redis_url: str) -> None:
    order, budget = list[str](), Budget("C1", 5.0)  # ten calls are two seconds
    async with paces(redis_url, 2) as processes:

        async def call(pace: RedisRateLimiter, owner: str, name: str) -> None:
            await pace.take(budget, Priority.ROOT, expected=name, owner=owner)
            order.append(name)

        await processes[0].hold(budget, 1.9)
        calls = []
        for n in range(6):
            calls.append(asyncio.create_task(call(processes[n % 2], "T1.greedy", f"greedy {n}")))
            await until_waiting(redis_url, budget, n + 1)
        place = await processes[0].wait(budget, Priority.ROOT, expected="modest", owner="T1.modest")
        assert place.ahead == 1
        calls.append(asyncio.create_task(call(processes[1], "T1.modest", "modest")))
        calls.append(asyncio.create_task(call(processes[0], "T1.other", "other")))
        await asyncio.gather(*calls)
    assert order == ["greedy 0", "modest", "other", *(f"greedy {n}" for n in range(1, 6))]


async def test_what_went_while_nobody_waited_is_not_held_against_its_owner(redis_url: str) -> None:
    budget = Budget("C1", 100.0, burst=20)
    spacing = SPACED_BY * 1000 / budget.per_second

    async with redis_client(redis_url, 5.0) as redis:
        scripts = PaceScripts(redis, "T1", "process", 5.0)

        async def place_of(ticket: str) -> float:
            """In milliseconds from now on."""
            question = Question(budget, Priority.ROOT, ticket, longest=60.0, owner="T1.U1")
            answer = await scripts.ask(question)
            seconds, microseconds = await redis.time()
            now = seconds * 1000 + microseconds / 1000
            return answer.score - Priority.ROOT * 2**43 - now

        quiet = [await place_of(f"quiet {n}") for n in range(10)]
        assert max(quiet) <= spacing
        await scripts.hold(budget, 30.0)
        first, *others = [await place_of(f"busy {n}") for n in range(4)]
        assert first <= spacing
        assert [each - first > n * spacing / 2 for n, each in enumerate(others, 1)] == [True] * 3


async def test_a_call_that_was_expected_keeps_its_place(redis_url: str) -> None:
    order = list[str]()
    async with paces(redis_url, 2) as (web, worker):

        async def call(name: str, expected: str = "") -> None:
            await worker.take(CHANNEL, Priority.ROOT, expected=expected)
            order.append(name)

        await web.hold(CHANNEL, 1.0)
        first = await web.wait(CHANNEL, Priority.ROOT, expected="S1")
        again = await web.wait(CHANNEL, Priority.ROOT, expected="S1")
        second = await web.wait(CHANNEL, Priority.ROOT, expected="S2")
        assert (first.ahead, again.ahead, second.ahead) == (0, 0, 1)
        later = asyncio.create_task(call("later"))
        await until_waiting(redis_url, CHANNEL, 1)
        await asyncio.gather(later, call("second", "S2"), call("first", "S1"))
    assert order == ["first", "second", "later"]


async def test_who_waits_goes_back_to_redis_once_it_answers_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.redis.pace._AWAY_FOR", 0.1)
    budget = Budget("C1", 1.0)
    async with paces(redis_url, 1) as (pace,):
        await pace.take(budget, Priority.ROOT)
        pace._away_until = time.monotonic() + 0.1
        waiting = asyncio.create_task(pace.take(budget, Priority.ROOT))
        await until_waiting(redis_url, budget, 1)
        await waiting
