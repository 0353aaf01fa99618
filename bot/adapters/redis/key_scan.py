"""Reads the names of keys without holding the server up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any


async def scan_keys(
    redis: Any,
    pattern: str,
    bounded_step: Callable[[], AbstractAsyncContextManager[None]],
    at_once: int = 1_000,
    **options: Any,
) -> AsyncIterator[list[str]]:
    """The keys in pages, each read within a `bounded_step`. A key may come twice. `at_once`
    is how many the server looks at in one step; `options` are those of redis-py's `scan`."""
    cursor = -1
    while cursor:
        async with bounded_step():
            cursor, keys = await redis.scan(max(cursor, 0), pattern, at_once, **options)
        yield keys
