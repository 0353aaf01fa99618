"""The books of the program, read with plain Redis commands, beside the provider's book."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

from redis.asyncio import Redis

from bot.sandbox import PATIENCE
from tests.fake_openai import FakeOpenAI


async def lines(redis_url: str) -> list[dict[str, Any]]:
    """The lines of the ledger in their order."""
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter("imagine:{*}:ledger")]
        entries: list[Any] = [entry for key in keys for entry in await redis.xrange(key) or ()]
    return [json.loads(fields["line"]) for _, fields in entries]


async def holds(redis_url: str) -> dict[str, str]:
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter("imagine:{*}:holds")]
        found: list[Any] = [await redis.hgetall(key) for key in keys]
    return {id_: text for each in found for id_, text in each.items()}


async def counters(redis_url: str, kind: str) -> Counter[str]:
    """The counters of all days (`asked`) or months (`spent`) together, by their fields."""
    found: Counter[str] = Counter()
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        async for key in redis.scan_iter(f"imagine:{{*}}:{kind}:*"):
            each: Any = await redis.hgetall(key)
            found.update({name: int(n) for name, n in each.items()})
    return found


async def until_settled(redis_url: str, timeout: float = PATIENCE) -> None:
    """Wait until no hold is left."""
    async with asyncio.timeout(timeout):
        while await holds(redis_url):
            await asyncio.sleep(0.05)


async def assert_books_balance(redis_url: str, openai: FakeOpenAI, *, lost: int = 0) -> None:
    """The measured lines are the provider's charges but for `lost` of them, for which there are as
    many estimated lines; the counters are the sum of all lines; nothing is held."""
    await until_settled(redis_url)
    written = await lines(redis_url)
    assert len({line["id"] for line in written}) == len(written), written
    measured = Counter(line["micro"] for line in written if line["state"] == "measured")
    charged = Counter(charge.micro for charge in openai.book)
    assert measured <= charged, (measured, charged)
    assert (charged - measured).total() == lost, (measured, charged)
    estimated = [line for line in written if line["state"] == "estimated"]
    assert len(estimated) == lost, estimated
    spent = await counters(redis_url, "spent")
    assert spent["workspace"] == sum(line["micro"] for line in written)
