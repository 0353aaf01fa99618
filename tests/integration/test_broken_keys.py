"""Keys that somebody broke: what is written with them is written whole or not at all, and the error
names the key and the field."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import RedisLimitSettings
from bot.adapters.redis.record_schema import person_key, record_key, words_key
from bot.adapters.redis.schema import (
    WORKSPACES,
    asked_key,
    holds_key,
    image_key,
    images_key,
    ledger_key,
    limits_key,
    session_key,
    spent_key,
    thread_key,
    unfinished_key,
    user_key,
    waiting_key,
)
from bot.concurrency import cancel_and_wait
from bot.domain import begin
from bot.domain.costs import day_of, month_of
from bot.domain.errors import StoreBroken, StoreTrouble, StoreUnavailable
from bot.domain.limit_settings import WORKSPACE, ChosenLimit, LimitKind
from bot.domain.limits import Limits
from bot.domain.record import deleted
from bot.domain.session import Session
from bot.jobs.repeating import repeat_for_ever
from bot.jobs.sweeper import Sweeper
from tests.fakes import CHANNEL, OWNER, FakeJobQueue, eventually
from tests.integration.books_bench import EACH, FIRST, ME, MEASURED, Bench
from tests.support.ledger import holds
from tests.support.metrics import Counted

TOKEN = "one"
SESSION_ID = f"T1.{OWNER}.{TOKEN}"
THREAD = "7.0"


@pytest.fixture
def bench(redis: Redis, redis_url: str) -> Bench:
    return Bench(redis, redis_url, Limits())


def spent_of(bench: Bench) -> str:
    return spent_key("T1", month_of(day_of(bench.now, bench.zone)))


def asked_of(bench: Bench) -> str:
    return asked_key("T1", day_of(bench.now, bench.zone))


async def content(redis: Redis) -> dict[str, bytes]:
    """All that is stored, but for the list that is written beside a commit."""
    keys = [key async for key in redis.scan_iter() if key != WORKSPACES]
    return {key: str(await stored(redis, key)).encode() for key in sorted(keys)}


async def stored(redis: Redis, key: str) -> object:
    match await redis.type(key):
        case "string":
            return await redis.get(key)
        case "hash":
            return sorted((await redis.hgetall(key)).items())
        case "zset":
            return await redis.zrange(key, 0, -1, withscores=True)
        case "stream":
            return await redis.xrange(key)
        case other:
            return other


async def settled(bench: Bench, session: Session) -> None:
    await bench.end(session, MEASURED)


async def failed(bench: Bench, session: Session) -> None:
    await bench.fail(session)


async def taken_back(bench: Bench, session: Session) -> None:
    await bench.store.discard(session, "created")


CHANGES: dict[str, Callable[[Bench, Session], Awaitable[None]]] = {
    "settled": settled,
    "failed": failed,
    "taken back": taken_back,
}
KEYS: dict[str, Callable[[Bench], str]] = {
    "session": lambda _: session_key(SESSION_ID),
    "list of the person": lambda _: user_key("T1", OWNER),
    "thread": lambda _: thread_key("T1", CHANNEL, THREAD),
    "unfinished": lambda _: unfinished_key("T1"),
    "waiting": lambda _: waiting_key("T1", OWNER),
    "holds": lambda _: holds_key("T1"),
    "ledger": lambda _: ledger_key("T1"),
    "spent": spent_of,
    "asked": asked_of,
    "record": lambda _: record_key("T1"),
    "person": lambda _: person_key("T1", OWNER),
    "words": lambda _: words_key(SESSION_ID),
}
TOUCHED_BY = {
    "settled": {"session", "list of the person", "thread", "unfinished", "ledger", "spent"},
    "failed": {"session", "waiting", "holds", "asked", "spent", "record"},
    "taken back": {"list of the person", "thread", "unfinished", "waiting", "holds", "spent"},
}


async def begun(bench: Bench) -> Session:
    """A session whose first of two calls is under way."""
    session = Session(SESSION_ID, "T1", OWNER, CHANNEL, thread_ts=THREAD)
    session = begin.submit(session, "a fox", 1.0, session.options.replace(count=2))
    session = bench.budgets.reserve(ME, Session(SESSION_ID, "T1", OWNER, CHANNEL), session)
    return await bench.store.create(session, write_id="created")


@pytest.mark.parametrize(
    ("change", "name"), [(c, n) for c, names in TOUCHED_BY.items() for n in sorted(names)]
)
async def test_a_key_of_another_type_lets_nothing_be_written_and_is_named(
    bench: Bench, redis: Redis, change: str, name: str
) -> None:
    session, key = await begun(bench), KEYS[name](bench)
    if change != "taken back":
        session = await bench.call(session)
    if change == "failed":
        await bench.end(session, MEASURED)
    await redis.delete(key)
    await redis.rpush(key, "x")
    before, counted = await content(redis), Counted()
    with pytest.raises(StoreBroken) as broken:
        await CHANGES[change](bench, session)
    assert key in str(broken.value)
    assert broken.value.trouble is StoreTrouble.BROKEN
    assert await content(redis) == before
    told = counted.changed("imagine_store_errors")
    assert told == {"imagine_store_errors_total kind=broken": 1}


@pytest.mark.parametrize("name", sorted(KEYS.keys() - {"ledger"}))
async def test_nothing_of_a_new_session_is_written_where_one_of_its_keys_is_of_another_type(
    bench: Bench, redis: Redis, name: str
) -> None:
    key = KEYS[name](bench)
    await redis.rpush(key, "x")
    before = await content(redis)
    with pytest.raises(StoreBroken) as broken:
        await begun(bench)
    assert key in str(broken.value)
    assert await content(redis) == before


@pytest.mark.parametrize("text", ["x", "", " 5", "-0", "007", "1e3", "0x10", "nan", "-nan", "inf"])
@pytest.mark.parametrize("counter", ["spent", "asked"])
async def test_a_counter_that_is_no_number_lets_nothing_be_written_and_is_named(
    bench: Bench, redis: Redis, counter: str, text: str
) -> None:
    session = await bench.call(await begun(bench))
    key, field = KEYS[counter](bench), OWNER if counter == "asked" else "workspace"
    await redis.hset(key, field, text)
    before = await content(redis)
    for change in (bench.fail(session), bench.ask("another")):
        with pytest.raises(StoreBroken, match=f"{field}") as broken:
            await change
        assert key in str(broken.value)
    assert await content(redis) == before
    await redis.hset(key, field, "0")  # once it is mended, all goes on
    await bench.fail(session)


@pytest.mark.parametrize("number", ["9223372036854775807", "9007199254740993", "-9007199254740994"])
async def test_a_counter_that_is_too_large_is_named_too(
    bench: Bench, redis: Redis, number: str
) -> None:
    session = await begun(bench)
    await redis.hset(spent_of(bench), "workspace", number)
    before = await content(redis)
    with pytest.raises(StoreBroken, match="workspace"):
        await bench.fail(session)
    assert await content(redis) == before


LAST = 2**64 - 1


@pytest.mark.parametrize("last", [f"{LAST}-{LAST}", f"{LAST}-{LAST - 1}", f"{LAST}-0"])
@pytest.mark.parametrize("deleted", [True, False])
async def test_a_ledger_that_takes_no_more_lines_lets_nothing_be_written(
    bench: Bench, redis: Redis, last: str, deleted: bool
) -> None:
    session = await bench.call(await begun(bench))
    await redis.xadd(ledger_key("T1"), {"line": "x"}, id=last)
    if deleted:
        await redis.xdel(ledger_key("T1"), last)
    before = await content(redis)
    with pytest.raises(StoreBroken) as broken:
        await bench.end(session, MEASURED)
    assert ledger_key("T1") in str(broken.value)
    assert await content(redis) == before
    await redis.delete(session_key(session.id))
    await bench.sweeper.sweep()  # gives back what was not called
    assert list(await holds(bench.url)) == [f"{session.id}.1.1.1"]


async def test_a_record_that_takes_no_more_entries_is_named(bench: Bench, redis: Redis) -> None:
    session = await begun(bench)
    await redis.xadd(record_key("T1"), {"body": "x"}, id=f"{LAST}-{LAST}")
    before = await content(redis)
    for writing in (bench.fail(session), bench.record.append("T1", deleted(session.id))):
        with pytest.raises(StoreUnavailable) as broken:
            await writing
        assert record_key("T1") in str(broken.value)
    assert await content(redis) == before


@pytest.mark.parametrize("field", ["user:" + OWNER, "channel:" + CHANNEL, "workspace", "asked", ""])
async def test_a_hold_is_given_back_whole_or_not_at_all(
    bench: Bench, redis: Redis, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = await bench.ask(TOKEN, count=2)
    await redis.delete(session_key(session.id))
    key, mended = spent_of(bench), str(2 * EACH)
    if field == "asked":
        key, field, mended = asked_of(bench), OWNER, "2"
    if field:
        await redis.hset(key, field, "no number")
    else:
        key = asked_of(bench)
        kept: Any = await redis.hgetall(key)
        await redis.delete(key)
        await redis.set(key, "x")
    before = await content(redis)
    for _ in range(3):
        await bench.sweeper.sweep()
    assert await content(redis) == before
    assert f"{key} {field}".strip() in caplog.text
    if field:
        await redis.hset(key, field, mended)
    else:
        await redis.delete(key)
        await redis.hset(key, mapping=kept)
    for _ in range(3):
        await bench.sweeper.sweep()
    assert not await holds(bench.url)
    assert await bench.counted() == (0, 0)


@pytest.mark.parametrize("text", ["x", "1.5", "nan", "-0", "9" * 30])
async def test_to_read_a_counter_that_is_no_number_names_it(
    bench: Bench, redis: Redis, text: str
) -> None:
    await bench.ask(TOKEN)
    day, month = day_of(bench.now, bench.zone), month_of(day_of(bench.now, bench.zone))
    reads: dict[tuple[str, str], Callable[[], Awaitable[object]]] = {
        (spent_key("T1", month), f"channel:{CHANNEL}"): partial(
            bench.books.spent, "T1", OWNER, CHANNEL, day, month
        ),
        (asked_key("T1", day), OWNER): partial(bench.books.of_person, "T1", OWNER, [day], month),
        (waiting_key("T1", OWNER), SESSION_ID): partial(bench.store.images_waiting, "T1", OWNER),
    }
    for (key, field), read in reads.items():
        right = await redis.hget(key, field)
        await redis.hset(key, field, text)
        counted = Counted()
        with pytest.raises(StoreBroken) as broken:
            await read()
        assert f"{key} {field}" in str(broken.value)
        assert counted.changed("imagine_store_errors") == {
            "imagine_store_errors_total kind=broken": 1
        }
        await redis.hset(key, field, right or "0")


async def test_what_one_workspace_spends_hides_no_other(
    bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.ask(TOKEN)
    month = month_of(day_of(bench.now, bench.zone))
    await redis.zadd(WORKSPACES, {"T0": 1.0, "T2": 1.0})
    await redis.hset(spent_key("T0", month), "workspace", "x")
    await redis.set(spent_key("T2", month), "x")
    assert await bench.books.spent_by_workspaces(month) == {"T1": EACH}
    assert spent_key("T0", month) in caplog.text
    assert spent_key("T2", month) in caplog.text


@pytest.mark.parametrize("text", ["x", "{}", "[]", '{"value":"a","by":"U1","at":1}', "null"])
async def test_a_limit_that_is_none_is_named(redis: Redis, text: str) -> None:
    settings = RedisLimitSettings(redis, 5.0)
    field = (WORKSPACE, LimitKind.USER_IMAGES_PER_DAY)
    name = "workspace/user_images_per_day"
    await redis.hset(limits_key("T1"), name, text)
    before = await content(redis)
    with pytest.raises(StoreBroken, match=f"{name}"):
        await settings.chosen("T1", [field])
    chosen = ChosenLimit(5, "U1", 1.0)
    with pytest.raises(StoreBroken, match=f"{name}"):
        await settings.choose("T1", {}, {field: chosen}, [deleted(SESSION_ID)])
    assert await content(redis) == before


async def test_to_read_a_key_of_another_type_names_it(bench: Bench, redis: Redis) -> None:
    await redis.set(waiting_key("T1", OWNER), "x")
    await redis.set(session_key(SESSION_ID), "x")
    for key, read in (
        (waiting_key("T1", OWNER), bench.store.images_waiting("T1", OWNER)),
        (session_key(SESSION_ID), bench.store.load(SESSION_ID)),
    ):
        with pytest.raises(StoreBroken) as broken:
            await read
        assert key in str(broken.value)


async def test_an_images_list_of_another_type_keeps_no_part_of_the_commit(
    bench: Bench, redis: Redis
) -> None:
    session = await bench.call(await begun(bench))
    await bench.store.keep_image(session.id, FIRST, "abc")
    await redis.delete(images_key("T1", OWNER))
    await redis.set(images_key("T1", OWNER), "x")
    await redis.delete(image_key(session.id, FIRST))
    before = await content(redis)
    with pytest.raises(StoreBroken) as broken:
        await bench.made(session)
    assert images_key("T1", OWNER) in str(broken.value)
    assert await content(redis) == before


@pytest.mark.parametrize("broken", ["session", "list", "all of T0"])
async def test_what_somebody_broke_keeps_no_other_session_from_its_job(
    bench: Bench, redis: Redis, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    for user in ("U1", "U2", "U3"):
        await bench.ask(TOKEN, user=user)
    key = {
        "session": session_key(f"T1.U1.{TOKEN}"),
        "list": user_key("T1", "U1"),
        "all of T0": unfinished_key("T0"),
    }[broken]
    await redis.zadd(WORKSPACES, {"T0": 1.0})
    await redis.delete(key)
    await redis.set(key, "x")
    queue = FakeJobQueue()
    await Sweeper(bench.store, queue, quiet_for=0.0).sweep()
    owners = {job.session_id.split(".")[1] for job in queue.added}
    assert owners >= {"U2", "U3"}
    assert key in caplog.text


async def test_work_that_is_put_off_names_the_key_that_is_broken(
    bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await redis.set(WORKSPACES, "x")
    sweeping = asyncio.create_task(
        repeat_for_ever(bench.sweeper.sweep, 9.0, logging.getLogger("bot"), "x", at_once=True)
    )
    await eventually(lambda: "put off" in caplog.text)
    await cancel_and_wait(sweeping)
    assert WORKSPACES in caplog.text
