"""A Redis that answers and takes nothing new: full, or read-only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import (
    ConnectionError,
    ExecAbortError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import (
    RedisHeartbeats,
    RedisServer,
    RedisSessionStore,
    RedisSignatures,
    WriteProbe,
    coordination,
    redis_client,
)
from bot.adapters.redis.schema import (
    run_key,
    thread_key,
    unfinished_key,
    user_key,
)
from bot.adapters.redis_errors import unavailable
from bot.domain.attempt import ImageRef
from bot.domain.errors import (
    QueueFull,
    StoreBroken,
    StoreFull,
    StoreReadOnly,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.jobs import Job, JobKind
from bot.domain.options import Options
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.ports import MemoryUsage
from tests.fakes import CHANNEL, ID, FakeTime, a_session, generating
from tests.support.redis_servers import REDIS, VALKEY, Server, installed, server

LEASE = 15.0

IMAGE = ImageRef(1)


@pytest.fixture(scope="module", params=[VALKEY, REDIS], ids=["valkey", "redis-server"])
def valkey(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    binary = installed(request.param)
    with server(tmp_path_factory.mktemp("full"), "--save", "", binary=binary) as started:
        yield started


@pytest.fixture
async def redis(valkey: Server) -> AsyncIterator[Any]:
    client = redis_client(valkey.url, 0.5)
    await client.flushall()
    yield client
    await client.replicaof("NO", "ONE")
    await client.config_set("maxmemory", 0)
    await client.aclose()


@pytest.fixture
async def store(redis: Any) -> RedisSessionStore:
    return RedisSessionStore(redis, session_ttl=600, image_ttl=60, patience=0.5)


def every_change(store: RedisSessionStore) -> Iterator[tuple[str, Any]]:
    yield "create", lambda: store.create(generating(id="T1.U1.other"))
    yield "update", lambda: store.update(ID, lambda s: generating(2, id=s.id))
    yield "keep_image", lambda: store.keep_image(ID, IMAGE, "aW1hZ2U=")
    yield "keep_defaults", lambda: store.keep_defaults("T1", "U1", Options(quality="low"))


async def probed(redis: Any) -> StoreTrouble | None:
    probe = WriteProbe(redis, 0.5)
    await probe.try_once()
    return probe.trouble


async def test_every_change_to_a_full_store_says_that_it_is_full(
    store: RedisSessionStore, redis: Any
) -> None:
    session = await store.create(generating(), write_id="w1")
    await redis.config_set("maxmemory", 1)
    for name, change in every_change(store):
        with pytest.raises(StoreFull):
            await change()
        assert (await store.load(ID)).latest.number == 1, name
    assert await probed(redis) is StoreTrouble.FULL
    await store.discard(session, "w1")  # makes room
    with pytest.raises(Refusal):
        await store.load(ID)


async def test_every_change_to_a_store_that_stays_read_only_says_so(
    store: RedisSessionStore, redis: Any
) -> None:
    """The client asks again meanwhile, over a new connection that may lead to the primary."""
    await store.create(generating())
    await redis.replicaof("127.0.0.1", 9)
    for _, change in every_change(store):
        with pytest.raises(StoreReadOnly):
            await change()
    assert await probed(redis) is StoreTrouble.READ_ONLY


async def everything(redis: Any) -> dict[str, Any]:
    """Each key with its value."""
    readers = {
        "hash": redis.hgetall,
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        "string": redis.get,
        "stream": redis.xrange,
    }
    return {key: await readers[await redis.type(key)](key) async for key in redis.scan_iter()}


LISTS = [user_key("T1", "U1"), unfinished_key("T1"), thread_key("T1", CHANNEL, "1.0")]


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize(
    ("before", "after"),
    [(a_session(), generating()), (generating(), a_session())],
    ids=["owed from now on", "owed no more"],
)
async def test_a_commit_writes_nothing_where_one_of_its_writes_is_impossible(
    store: RedisSessionStore, redis: Any, key: str, before: Session, after: Session
) -> None:
    await store.create(before)
    await redis.delete(key)
    await redis.set(key, "of another type")
    stored = await everything(redis)
    with pytest.raises(StoreUnavailable):
        await store.update(ID, lambda s: replace(after, version=s.version))
    assert await everything(redis) == stored


@pytest.mark.parametrize("trouble", ["full", "read-only"])
async def test_a_refused_commit_changes_no_key(
    store: RedisSessionStore, redis: Any, trouble: str
) -> None:
    """Not even where what the session owed is to be taken off its list, which needs no room."""
    await store.create(generating())
    stored = await everything(redis)
    if trouble == "full":
        await redis.config_set("maxmemory", 1)
    else:
        await redis.replicaof("127.0.0.1", 9)
    with pytest.raises(StoreUnavailable):
        await store.update(ID, lambda s: replace(a_session(), version=s.version))
    assert await everything(redis) == stored


async def test_a_signature_and_a_job_say_so_too(redis: Any, valkey: Server) -> None:
    queue = BullJobQueue(valkey.url)
    try:
        await redis.config_set("maxmemory", 1)
        with pytest.raises(StoreFull):
            await RedisSignatures(redis, 0.5).add("v0=1", 60)
        with pytest.raises(QueueFull):
            await queue.add(Job(JobKind.GENERATE, ID, 1))
    finally:
        await queue.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), StoreFull),
        (
            ResponseError(
                "Error running script (call to f_1): @user_script:9: @user_script: 9: -OOM command "
                "not allowed when used memory > 'maxmemory'."
            ),
            StoreFull,
        ),
        (ResponseError("OOM command not allowed when used memory > 'maxmemory'."), StoreFull),
        (ResponseError("DB capacity quota exceeded"), StoreFull),
        (ResponseError("Out of memory"), StoreFull),
        (ReadOnlyError("You can't write against a read only replica."), StoreReadOnly),
        (
            ResponseError(
                "MISCONF Redis is configured to save RDB snapshots, but it is currently not able "
                "to persist on disk."
            ),
            StoreReadOnly,
        ),
        (
            ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
            StoreReadOnly,
        ),
        (ResponseError("NOREPLICAS Not enough good replicas to write."), StoreReadOnly),
        (ResponseError("Error running script: 9: -READONLY You can't write"), StoreReadOnly),
        (ResponseError("WRONGTYPE Operation against a key"), StoreBroken),
        (ResponseError("BROKEN imagine:{T1}:holds is of another type"), StoreBroken),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), StoreBroken),
        (NoPermissionError("this user has no permissions"), StoreUnavailable),
        (ConnectionError("Connection refused"), StoreUnavailable),
        (TimeoutError(), StoreUnavailable),
        (ExecAbortError("Transaction discarded"), StoreUnavailable),
    ],
)
def test_what_a_server_says_is_told_apart(error: Exception, expected: type) -> None:
    assert type(unavailable(error)) is expected


async def test_what_the_server_uses_and_may_use(redis: Any) -> None:
    server = RedisServer(redis, 0.5)
    assert (await server.memory()).most == 0
    await redis.config_set("maxmemory", 50_000_000)
    used, most = await server.memory()
    assert 0 < used < most == MemoryUsage(used, 50_000_000).most


# heartbeats


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def mine(redis: Any, time: FakeTime) -> RedisHeartbeats:
    return RedisHeartbeats(redis, 0.5, LEASE, time.monotonic)


@pytest.fixture
def others(redis: Any, time: FakeTime) -> RedisHeartbeats:
    """Another process, which has watched for a while."""
    theirs = RedisHeartbeats(redis, 0.5, LEASE, time.monotonic)
    time.now += coordination.STEADY_FOR * LEASE
    return theirs


async def test_a_run_lives_from_its_beginning_to_its_end(
    mine: RedisHeartbeats, others: RedisHeartbeats
) -> None:
    assert not await others.is_alive("a")
    await mine.begin("a")
    assert await mine.is_alive("a")
    assert await others.is_alive("a")
    await mine.end("a")
    assert not await mine.is_alive("a")
    assert not await others.is_alive("a")


async def test_a_run_begins_nowhere_in_a_full_store_and_lives_on_there(
    mine: RedisHeartbeats, others: RedisHeartbeats, redis: Any
) -> None:
    await mine.begin("a")
    await redis.config_set("maxmemory", 1)
    with pytest.raises(StoreFull):
        await mine.begin("b")
    await redis.pexpire(run_key("a"), 1000)
    await mine.beat()
    assert await redis.pttl(run_key("a")) > 1000
    assert await others.is_alive("a")
    await mine.end("a")
    assert not await others.is_alive("a")


async def test_a_key_that_expired_during_an_outage_is_there_again_with_the_next_beat(
    mine: RedisHeartbeats, others: RedisHeartbeats, redis: Any
) -> None:
    await mine.begin("a")
    await redis.delete(run_key("a"))
    assert await mine.is_alive("a")
    await mine.beat()
    assert await others.is_alive("a")


async def test_silence_says_nothing_right_after_an_outage(
    redis: Any, time: FakeTime, others: RedisHeartbeats
) -> None:
    begun = RedisHeartbeats(redis, 0.5, LEASE, time.monotonic)
    assert await begun.is_alive("a")
    time.now += coordination.STEADY_FOR * LEASE
    assert not await begun.is_alive("a")


async def test_an_end_that_is_told_is_believed_at_once(
    mine: RedisHeartbeats, redis: Any, time: FakeTime
) -> None:
    await mine.begin("a")
    await mine.end("a")
    assert not await RedisHeartbeats(redis, 0.5, LEASE, time.monotonic).is_alive("a")
