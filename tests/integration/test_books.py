"""The books on a real server: what commits write, what limits refuse, what the sweep settles."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import redis_client
from bot.adapters.redis.schema import WORKSPACES, holds_key, ledger_key, session_key
from bot.adapters.redis.session_fields import to_fields
from bot.concurrency import BackgroundTasks
from bot.domain import begin, transitions
from bot.domain.books import call_ended
from bot.domain.call_defaults import Defaults
from bot.domain.costs import Cost, Usage
from bot.domain.generation import LOST, image_made
from bot.domain.limits import KIND_OF, LimitReached, Limits, Quota
from bot.domain.policy import Policy
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind
from bot.ops.audit.rows import rows_of
from bot.ops.spending import SpendingReader, age_of
from bot.ports import BeginRequest
from bot.service.access import AccessControl
from bot.service.budgets import Budgets
from bot.service.gateway import AttemptGateway
from bot.service.usage import UsageReports
from tests.fakes import CHANNEL, ID, IMAGE, OWNER, a_session, always
from tests.integration.books_bench import EACH, FIRST, FREE, ME, MEASURED, Bench, Prices
from tests.support.ledger import counters, holds, lines
from tests.support.metrics import Counted
from tests.support.redis_servers import REDIS, installed, server


@pytest.fixture
def bench(redis: Redis, redis_url: str) -> Bench:
    return Bench(redis, redis_url, Limits())


def limited(bench: Bench, redis: Redis, **limits: int) -> Bench:
    return Bench(redis, bench.url, Limits(**limits))


async def test_each_candidate_is_held_once_however_often_it_is_asked_for(bench: Bench) -> None:
    await asyncio.gather(*(bench.ask(count=4) for _ in range(5)))
    assert len(await holds(bench.url)) == 4
    assert await bench.counted() == (4, 4 * EACH)


async def test_a_measured_call_counts_what_it_cost(bench: Bench) -> None:
    session = await bench.call(await bench.ask())
    for _ in range(3):  # a repeated job tells it again
        await bench.end(session, MEASURED)
    await bench.fail(session)
    assert not await holds(bench.url)
    assert await bench.counted() == (1, 700)
    assert await bench.states() == ["measured"]


async def test_an_unpaid_failure_gives_back_and_its_next_try_is_held_again(bench: Bench) -> None:
    session = await bench.call(await bench.ask())
    await bench.end(session, FREE)
    assert list(await holds(bench.url)) == [f"{session.id}.1.1.2"]
    assert await bench.counted() == (1, EACH)
    await bench.fail(session)
    assert await bench.counted() == (0, 0)
    assert await bench.states() == []


async def test_a_lost_answer_is_estimated_when_the_next_call_is_made(bench: Bench) -> None:
    session = await bench.call(await bench.ask(), "killed")
    await bench.call(session, "next")
    await bench.end(session, MEASURED, 2)
    await bench.fail(session)
    assert await bench.states() == ["estimated", "measured"]
    assert await bench.counted() == (1, EACH + 700)


async def test_a_late_answer_takes_the_place_of_its_estimate(bench: Bench) -> None:
    session = await bench.call(await bench.ask())
    await bench.fail(session)
    await bench.sweeper.sweep()
    await bench.end(session, MEASURED)
    written = await lines(bench.url)
    assert [line["state"] for line in written] == ["estimated", "measured"]
    assert len({line["id"] for line in written}) == 1
    assert await bench.counted() == (1, 700)


async def test_a_cancelled_image_that_was_never_called_gives_back(bench: Bench) -> None:
    session = await bench.ask(count=2)
    await bench.store.update(session.id, lambda s: transitions.cancel(s, 1, "w", 2.0))
    assert not await holds(bench.url)
    assert await bench.counted() == (0, 0)


async def test_the_sweep_leaves_what_a_run_or_a_job_still_owes(bench: Bench) -> None:
    session = await bench.call(await bench.ask(), "run")
    await bench.sweeper.sweep()  # its job will go on
    assert len(await holds(bench.url)) == 1
    await bench.fail(session)
    bench.runs.alive.add("run")
    await bench.sweeper.sweep()  # its run will tell
    assert len(await holds(bench.url)) == 1
    bench.runs.alive.clear()
    await asyncio.gather(*(bench.sweeper.sweep() for _ in range(3)))
    assert not await holds(bench.url)
    assert await bench.states() == ["estimated"]
    assert await bench.counted() == (1, EACH)


@pytest.mark.parametrize("called", [False, True])
async def test_the_holds_of_a_session_that_is_gone_are_settled(
    bench: Bench, redis: Redis, called: bool
) -> None:
    session = await bench.ask(count=2)
    if called:
        await bench.call(session)
    await redis.delete("imagine:{T1}:session:" + session.id.removeprefix("T1."))
    await asyncio.gather(*(bench.sweeper.sweep() for _ in range(3)))
    assert not await holds(bench.url)
    assert await bench.states() == ["estimated"] * called
    assert await bench.counted() == (int(called), EACH * called)


async def test_a_session_that_is_gone_gives_back_the_image_of_its_second_try(
    bench: Bench, redis: Redis
) -> None:
    session = await bench.call(await bench.ask(count=2))
    await bench.end(session, FREE)
    await redis.delete(session_key(session.id))
    await bench.sweeper.sweep()
    assert await bench.counted() == (0, 0)


async def test_a_session_that_is_gone_keeps_the_image_that_an_earlier_call_may_have_made(
    bench: Bench, redis: Redis
) -> None:
    session = await bench.call(await bench.ask(), "killed")
    await bench.end(session, LOST)
    await redis.delete(session_key(session.id))
    await bench.sweeper.sweep()
    assert await bench.states() == ["estimated"]
    assert await bench.counted() == (1, EACH)


@pytest.mark.parametrize("each", [EACH, 0])
async def test_an_older_server_settles_holds_that_give_back_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each: int
) -> None:
    monkeypatch.setattr(Prices, "each", each)
    with server(tmp_path, "--save", "", binary=installed(REDIS)) as old:
        redis = redis_client(old.url, patience=5.0)
        bench = Bench(redis, old.url, Limits())
        session = await bench.call(await bench.ask(count=2), "killed")
        await bench.end(session, LOST)  # its next call is held, and counts no second image
        await redis.delete(session_key(session.id))
        await bench.sweeper.sweep()
        assert not await holds(bench.url)
        assert await bench.counted() == (1, each)
        await redis.aclose()


async def test_a_line_is_written_once_where_the_next_answer_names_another_model(
    bench: Bench,
) -> None:
    session = await bench.call(await bench.ask(), "first")
    await bench.end(session, MEASURED)
    await bench.call(session, "second")
    image = replace(IMAGE, model="another")
    await bench.store.update(
        session.id,
        lambda s: call_ended(image_made(s, FIRST, image, 5.0), FIRST, 2, MEASURED),
    )
    written = [(line["id"].rpartition(".")[2], line["model"]) for line in await lines(bench.url)]
    assert written == [("1", "m"), ("2", "another")]
    assert await bench.counted() == (1, 1_400)


async def test_a_hold_that_its_session_does_not_have_is_settled(bench: Bench, redis: Redis) -> None:
    session = await bench.call(await bench.ask(count=2))
    attempt = json.loads(to_fields(session)["attempts"])[0]
    plain = {name: value for name, value in attempt.items() if name != "reserved"}
    await redis.hset(session_key(session.id), "attempts", json.dumps([plain]))  # an older version
    await asyncio.gather(*(bench.sweeper.sweep() for _ in range(3)))
    assert not await holds(bench.url)
    assert await bench.states() == ["estimated"]
    assert await bench.counted() == (1, EACH)


async def test_a_hold_that_outlives_its_counters_brings_none_back(
    bench: Bench, redis: Redis
) -> None:
    session = await bench.ask(count=2)
    counted = await redis.keys("imagine:*:spent:*") + await redis.keys("imagine:*:asked:*")
    await redis.delete(session_key(session.id), *counted)
    await bench.sweeper.sweep()
    assert not await holds(bench.url)
    assert not await redis.exists(*counted)


@pytest.mark.parametrize("left", [False, True])
async def test_counters_that_were_reset_meanwhile_are_never_below_nothing(
    bench: Bench, redis: Redis, left: bool
) -> None:
    session = await bench.call(await bench.ask(count=4))
    await redis.delete(*await redis.keys("imagine:*:spent:*"), *await redis.keys("*:asked:*"))
    if left:
        await bench.ask("other")
    await bench.end(session, MEASURED)
    await bench.fail(session)
    found = await counters(bench.url, "spent") + await counters(bench.url, "asked")
    assert all(number >= 0 for number in found.values()), found
    counted = await bench.counted()
    assert counted == (0, 0)


async def test_a_clock_that_is_ahead_takes_no_lines_away(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for number in range(300):  # whole nodes of the stream are trimmed at a time
            pipeline.xadd(ledger_key("T1"), {"line": str(number)})
        await pipeline.execute()
    ahead = time.time() + 500 * 86_400
    monkeypatch.setattr("time.time", lambda: ahead)
    one, two = await bench.ask("one"), await bench.ask("two")
    await bench.end(await bench.call(one), MEASURED)
    await bench.call(two)
    await redis.delete(session_key(two.id))
    await bench.sweeper.sweep()
    assert await redis.xlen(ledger_key("T1")) == 302
    assert 0 < await redis.ttl(ledger_key("T1")) <= 3600


async def test_a_hold_of_a_process_whose_clock_is_ahead_is_swept_all_the_same(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for token, ahead in (("far", 3600.0), ("near", 30.0)):
        monkeypatch.setattr("time.time", lambda ahead=ahead: now + ahead)
        session = await bench.ask(token, user=f"U{token}")
        await redis.delete(session_key(session.id))
    monkeypatch.setattr("time.time", lambda: now)
    await bench.sweeper.sweep()
    assert list(await holds(bench.url)) == ["T1.Unear.near.1.1.1"]


async def test_old_lines_are_taken_away(bench: Bench, redis: Redis) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for number in range(300):
            pipeline.xadd(ledger_key("T1"), {"line": str(number)}, id=f"1000-{number + 1}")
        await pipeline.execute()
    await bench.end(await bench.call(await bench.ask()), MEASURED)
    assert await redis.xlen(ledger_key("T1")) == 1


async def test_what_somebody_broke_in_the_books_hides_nothing_else(
    bench: Bench, redis: Redis
) -> None:
    session = await bench.call(await bench.ask(count=2))
    await bench.end(session, MEASURED)
    broken = ("", "{", "[]", '{"line":7}', '{"begun":1,"images":0,"line":{"at":1}}', "[" * 50_000)
    for number, text in enumerate(broken):
        await redis.hset(holds_key("T1"), f"T1.U1.x.1.{number}.1", text)
        await redis.xadd(ledger_key("T1"), {"line": text})
    await redis.xadd(ledger_key("T1"), {"other": "1"})
    await redis.hset(holds_key("T1"), "no numbers", "{}")
    (line,) = [line async for line in bench.books.lines(0.0)]
    text = json.dumps({**line._asdict(), "more": "of a newer version"})
    await redis.xadd(ledger_key("T1"), {"line": text})
    assert [each async for each in bench.books.lines(0.0)] == [line, line]
    await redis.zadd(WORKSPACES, {"T0": 1.0})
    await redis.set(holds_key("T0"), "of another type")
    assert len(await bench.books.times_of_holds()) == 2
    await redis.delete(session_key(session.id))
    await bench.sweeper.sweep()
    assert not await bench.books.times_of_holds()


async def test_a_hold_that_cannot_be_settled_keeps_no_other_from_it(
    bench: Bench, redis: Redis
) -> None:
    await bench.ask("one")
    await bench.ask("two", user="U7")
    for key in await redis.keys("imagine:*:session:*"):
        await redis.delete(key)
    spent = next(iter(await redis.keys("imagine:*:spent:*")))
    await redis.hset(spent, f"user:{OWNER}", "no number")
    await bench.sweeper.sweep()
    assert list(await holds(bench.url)) == [f"T1.{OWNER}.one.1.1.1"]


async def test_a_session_that_is_taken_back_gives_back(bench: Bench) -> None:
    session = Session(ID, "T1", OWNER, CHANNEL)
    begun = bench.budgets.reserve(ME, session, begin.submit(session, "a fox", 1.0))
    stored = await bench.store.create(begun, write_id="first")
    await bench.store.discard(stored, "another")
    assert await bench.counted() == (1, EACH)
    await bench.store.discard(stored, "first")
    assert await bench.counted() == (0, 0)
    assert not await holds(bench.url)
    await bench.store.create(begun, write_id="second")
    assert await bench.counted() == (1, EACH)


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({"user_images": 3}, Quota.USER_IMAGES),
        ({"user": 3 * EACH}, Quota.USER),
        ({"channel": 3 * EACH}, Quota.CHANNEL),
        ({"workspace": 3 * EACH}, Quota.WORKSPACE),
    ],
)
async def test_no_more_come_in_at_once_than_the_limit_leaves(
    bench: Bench, redis: Redis, limits: dict[str, int], quota: Quota
) -> None:
    limited_bench = limited(bench, redis, **limits)
    asked = [limited_bench.ask(f"t{n}") for n in range(12)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, LimitReached)]
    assert len(refused) == 9, answers
    assert {refusal.standing.quota for refusal in refused} == {quota}
    assert await bench.counted() == (3, 3 * EACH)
    with pytest.raises(LimitReached):
        await limited_bench.ask("late")  # refused before the commit, as the books stand
    rows = [row.values async for row in rows_of(bench.record, "T1")]
    told = [(row["kind"], row["reason"], row["prompt"]) for row in rows]
    assert told.count(("asked", "", "a fox")) == 3
    assert told.count(("refused", KIND_OF[quota], "a fox")) == 10
    assert {row["person"] for row in rows} == {OWNER}


async def test_a_refusal_tells_how_many_still_fit_and_stores_nothing(
    bench: Bench, redis: Redis
) -> None:
    limited_bench = limited(bench, redis, user_images=5, workspace=5 * EACH - 1)
    await limited_bench.ask("a", count=2)
    before = {key for key in await redis.keys("*") if ":record" not in key}
    with pytest.raises(LimitReached) as refused:
        await limited_bench.ask("b", count=4)
    assert refused.value.standing.quota is Quota.WORKSPACE
    assert refused.value.standing.left == 3 * EACH - 1
    assert refused.value.fitting == 2
    assert refused.value.admins == {"UBOSS"}
    assert {key for key in await redis.keys("*") if ":record" not in key} == before
    await limited_bench.ask("b", count=2)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"user_images": 5, "workspace": 2 * EACH}, Quota.WORKSPACE),
        ({"user_images": 2, "workspace": 2 * EACH}, Quota.WORKSPACE),  # it begins anew later
        ({"user_images": 3, "workspace": 4 * EACH}, Quota.USER_IMAGES),
        ({"user_images": 3, "workspace": 99 * EACH}, Quota.USER_IMAGES),
        ({"user": 3 * EACH, "channel": 2 * EACH, "workspace": 4 * EACH}, Quota.CHANNEL),
        ({"user": 3 * EACH, "channel": 3 * EACH}, Quota.USER),
    ],
)
async def test_of_several_limits_the_one_is_told_that_leaves_the_least(
    bench: Bench, redis: Redis, limits: dict[str, int], told: Quota
) -> None:
    limited_bench = limited(bench, redis, **limits)
    await limited_bench.ask("a", count=2)
    with pytest.raises(LimitReached) as refused:
        await limited_bench.ask("b", count=4)
    assert refused.value.standing.quota is told
    rows = [row.values async for row in rows_of(bench.record, "T1")]
    assert [row["reason"] for row in rows if row["kind"] == "refused"] == [KIND_OF[told]]


async def test_of_two_at_once_the_second_is_told_what_the_first_has_left(
    bench: Bench, redis: Redis
) -> None:
    limited_bench = limited(bench, redis, user_images=5)
    asked = (limited_bench.ask(token, count=3) for token in "ab")
    answers = await asyncio.gather(*asked, return_exceptions=True)
    (refused,) = [answer for answer in answers if isinstance(answer, LimitReached)]
    assert (refused.standing.left, refused.fitting) == (2, 2)


async def test_limits_of_one_person_are_no_other_persons(bench: Bench, redis: Redis) -> None:
    limited_bench = limited(bench, redis, user_images=1)
    await limited_bench.ask("a")
    with pytest.raises(Refusal):
        await limited_bench.ask("b")
    await limited_bench.ask("c", user="U7")


async def test_a_new_day_begins_anew_and_settles_in_the_day_that_reserved(
    bench: Bench, redis: Redis
) -> None:
    limited_bench = limited(bench, redis, user_images=1)
    session = await limited_bench.ask("a")
    limited_bench.now += 86_400
    await limited_bench.ask("b")
    await limited_bench.call(session)
    await limited_bench.end(session, FREE)
    await limited_bench.fail(session)
    days = {str(key).rpartition(":")[2] for key in await redis.keys("imagine:*:asked:*")}
    assert days == {"2026-09-21", "2026-09-22"}
    assert await redis.hgetall("imagine:{T1}:asked:2026-09-21") == {OWNER: "0"}
    assert await redis.hgetall("imagine:{T1}:asked:2026-09-22") == {OWNER: "1"}


async def test_a_limit_that_is_lowered_stops_what_comes_next(bench: Bench, redis: Redis) -> None:
    session = await bench.ask("a", count=4)
    lower = limited(bench, redis, workspace=EACH)
    with pytest.raises(LimitReached):
        await lower.ask("b")
    await lower.call(session)
    await lower.end(session, MEASURED)  # and its image is asked for once more
    assert (await bench.counted())[1] == 4 * EACH + 700
    await lower.fail(session)
    assert (await bench.counted())[1] == 700


async def test_an_image_without_a_price_is_refused_by_no_budget_that_is_used_up(
    bench: Bench, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.ask("a", count=4)
    lower = limited(bench, redis, user_images=6, user=EACH, channel=EACH, workspace=EACH)
    monkeypatch.setattr(Prices, "each", 0)
    await lower.ask("b", count=2)
    assert await bench.counted() == (6, 4 * EACH)
    with pytest.raises(LimitReached) as refused:
        await lower.ask("c")
    assert refused.value.standing.quota is Quota.USER_IMAGES


async def test_the_books_of_a_session_that_drops_its_attempts_keep_what_was_paid(
    bench: Bench,
) -> None:
    session = await bench.call(await bench.ask())
    await bench.fail(session)
    await bench.store.update(session.id, lambda s: replace(s, attempts=()))
    assert not await holds(bench.url)
    assert await bench.states() == ["estimated"]
    assert await bench.counted() == (1, EACH)


async def test_a_person_sees_their_own_days_and_month(bench: Bench) -> None:
    await bench.ask(count=2)
    await bench.ask("other", user="U9")
    bench.now += 86_400
    await bench.ask("tomorrow", count=3)
    own = await bench.budgets.own_usage("T1", CHANNEL, OWNER)
    assert list(own.images.values()) == [0, 0, 0, 0, 0, 2, 3]
    assert own.micro == 5 * EACH
    assert own.month == list(own.images)[-1][:7]


async def test_the_budget_of_which_the_least_is_left(redis: Redis, redis_url: str) -> None:
    bench = Bench(redis, redis_url, Limits(9, 10 * EACH, 3 * EACH, 99 * EACH))
    await bench.ask(count=2)
    tightest = await bench.budgets.tightest_budget("T1", CHANNEL, OWNER)
    assert tightest is not None
    assert (tightest.quota, tightest.left) == (Quota.CHANNEL, EACH)
    elsewhere = await bench.budgets.own_usage("T1", "", OWNER)
    assert Quota.CHANNEL not in [standing.quota for standing in elsewhere.standings]


async def test_the_lines_of_one_workspace(bench: Bench) -> None:
    session = await bench.call(await bench.ask())
    await bench.end(session, MEASURED)
    reports = UsageReports(bench.books, ZoneInfo("UTC"), time.time)
    assert [line.team async for line in bench.books.lines(0.0, "T1")] == ["T1"]
    assert [line async for line in bench.books.lines(0.0, "T2")] == []
    _, tables = await reports.of_workspace("T2")
    assert list(tables) == ["person", "channel", "day", "model"]


async def test_what_all_workspaces_spend_and_hold_is_told_together(
    redis: Redis, redis_url: str
) -> None:
    bench = Bench(redis, redis_url, Limits())
    await bench.ask(count=3)
    money = SpendingReader(
        bench.books, always(Limits(workspace=4 * EACH)), ZoneInfo("UTC"), lambda: bench.now
    )
    told = await money.read()
    assert (told.dollars, told.budget_used) == (3 * EACH / 1_000_000, 0.75)
    assert told.holds.total() == 3
    none_set = SpendingReader(bench.books, always(Limits()), ZoneInfo("UTC"), lambda: bench.now)
    assert (await none_set.read()).budget_used == 0.0


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(-5, "minute"), (59, "minute"), (61, "hour"), (3599, "hour"), (3601, "older"), (1e9, "older")],
)
def test_the_ages_of_holds(seconds: float, age: str) -> None:
    assert age_of(seconds) == age


async def test_the_time_from_asked_to_approved_is_counted_once(bench: Bench) -> None:
    counted = Counted()
    session = await bench.store.create(a_session())
    await bench.store.update(session.id, lambda s: transitions.approve(s, FIRST, OWNER, 130.0))
    await bench.store.update(session.id, lambda s: replace(s, response_url="", updated_at=140.0))
    assert counted.of("imagine_approval_seconds_count") == 1
    assert counted.of("imagine_approval_seconds_sum") == 30.0


class ByTokens:
    """A micro-dollar for each token of an image."""

    def cost(self, model: str, host_model: str, usage: Usage) -> Cost:
        return Cost(usage.image_out, "test", known=True)


@pytest.mark.parametrize(
    ("limits", "fitting"),
    [
        (Limits(user=1_000), (0, 3)),
        (Limits(user=400), (0, 2)),
        (Limits(user_images=9, user=1_000, channel=200), (0, 1)),
        (Limits(user_images=9, user=1_000, workspace=100), (0, 0)),
        (Limits(user_images=2, user=1_000), (0, 2)),
        (Limits(user=4_000, workspace=2_000), (1, 3)),
    ],
)
async def test_a_refusal_tells_how_many_fit_all_limits_in_the_lowest_quality(
    redis: Redis, redis_url: str, limits: Limits, fitting: tuple[int, int]
) -> None:
    bench = Bench(redis, redis_url, Limits())
    defaults = Defaults("m", "", "1024x1024", "high")
    budgets = Budgets(
        bench.books,
        ByTokens(),
        always(limits),
        defaults,
        ZoneInfo("UTC"),
        lambda: bench.now,
    )
    access = AccessControl(bench.store, Policy(), lambda: bench.now)
    bench.gateway = AttemptGateway(
        bench.store,
        BackgroundTasks(),
        access,
        lambda: bench.now,
        rules=(budgets,),
        reserve=budgets.reserve,
    )
    with pytest.raises(LimitReached) as refused:
        await bench.ask(count=3)
    assert (refused.value.fitting, refused.value.lowest_fitting) == fitting


@pytest.mark.parametrize(
    ("place", "channel"),
    [
        (ConversationKind.CHANNEL, CHANNEL),
        (ConversationKind.DIRECT, ""),
        (ConversationKind.GROUP_DIRECT, ""),
    ],
)
async def test_a_refusal_names_the_channel_and_what_the_smallest_size_counts(
    bench: Bench, place: ConversationKind, channel: str
) -> None:
    defaults = Defaults("m", "", "1024x1024", "high")
    limits = always(Limits(channel=1_000))
    budgets = Budgets(bench.books, ByTokens(), limits, defaults, ZoneInfo("UTC"), lambda: bench.now)
    new = Session(f"T1.{OWNER}.one", "T1", OWNER, CHANNEL, place=place)
    after = budgets.reserve(ME, new, begin.submit(new, "a fox", 1.0, new.options))
    write = await budgets.check(BeginRequest(ME, new, after.latest, "key"))
    assert write is not None
    ((*_, limit),) = write(after)
    assert limit is not None
    assert isinstance(limit.refusal, LimitReached)
    told = limit.refusal.in_view_of({limit.refusal: 5_000}).standing
    assert (told.channel, told.each, told.smallest) == (channel, 1_756, 878)
