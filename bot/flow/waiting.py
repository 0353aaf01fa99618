"""How long a record may take once its task is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

from bot.concurrency import UNWINDING, finish_before_cancel, wait_then_cancel

T = TypeVar("T")

RECORD_WITHIN = 0.8
"""Seconds that a record may still take once its task is cancelled."""


async def unwound(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Wait for tasks that are cancelled already."""
    await wait_then_cancel(*tasks, timeout=UNWINDING)


async def given_time(task: asyncio.Task[Any] | None) -> None:
    """Let a record come to its end, or nearly so; then it is given up."""
    if task is not None:
        await wait_then_cancel(task, timeout=RECORD_WITHIN)


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Record what is paid for, even where the caller is cancelled meanwhile."""
    return await finish_before_cancel(work, RECORD_WITHIN)
