"""A server that takes no changes in the middle: each step is written whole or not at all, and the
counters stay what is held and paid together."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.adapters.redis.schema import session_key
from bot.domain import transitions
from bot.domain.errors import StoreUnavailable
from bot.domain.limits import Limits
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from tests.integration.books_bench import FREE, MEASURED, Bench
from tests.support.ledger import counters, holds, lines

Step = Callable[[Bench, Session], Awaitable[object]]

STEPS: dict[str, Step] = {
    "call": lambda bench, s: bench.call(s),
    "measured": lambda bench, s: bench.end(s, MEASURED),
    "free": lambda bench, s: bench.end(s, FREE),
    "failed": lambda bench, s: bench.fail(s),
    "cancelled": lambda bench, s: bench.store.update(
        s.id, lambda session: transitions.cancel(session, 1, "w", 2.0)
    ),
    "taken back": lambda bench, s: bench.store.discard(s, "not this write"),
    "swept": lambda bench, _: bench.sweeper.sweep(),
    "asked": lambda bench, _: bench.ask("another", count=4),
}


@asynccontextmanager
async def full(redis: Any) -> AsyncIterator[None]:
    await redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        await redis.config_set("maxmemory", 0)


@asynccontextmanager
async def a_replica(redis: Any) -> AsyncIterator[None]:
    await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        await redis.execute_command("REPLICAOF", "NO", "ONE")


async def assert_balance(bench: Bench) -> None:
    held = [json.loads(text)["line"]["micro"] for text in (await holds(bench.url)).values()]
    paid = {line["id"]: line["micro"] for line in await lines(bench.url)}
    spent = await counters(bench.url, "spent")
    assert spent["workspace"] == sum(held) + sum(paid.values())


@pytest.mark.parametrize("refusing", [full, a_replica])
@pytest.mark.parametrize("is_gone", [False, True])
@pytest.mark.parametrize("is_called", [False, True])
@pytest.mark.parametrize("step", STEPS)
async def test_what_is_refused_in_the_middle_leaves_the_books_in_balance(
    redis: Redis,
    redis_url: str,
    refusing: Callable[[Any], AbstractAsyncContextManager[None]],
    is_gone: bool,
    is_called: bool,
    step: str,
) -> None:
    bench = Bench(redis, redis_url, Limits(), patience=0.3)
    session = await bench.ask("one", count=4)
    if is_called:
        session = await bench.call(session, "killed")
    if is_gone:
        await redis.delete(session_key(session.id))
    async with refusing(redis):
        with suppress(StoreUnavailable, Refusal):
            await STEPS[step](bench, session)
    await assert_balance(bench)
    if not is_gone:
        await bench.fail(session)
    for _ in range(2):
        await bench.sweeper.sweep()
    await assert_balance(bench)
    left = [id_ for id_ in await holds(redis_url) if ".one." in id_]
    assert left == []
