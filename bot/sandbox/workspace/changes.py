"""The stream of everything that happens in the workspace. Tests and pages subscribe to it."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")
Change = dict[str, Any]
_POLL_SECONDS = (
    0.2  # some states change by time alone: a file that gets ready, a trigger that expires
)


class Changes:
    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._queues: set[asyncio.Queue[Change | None]] = set()

    def emit(self, kind: str, /, **data: Any) -> None:
        """Tell every subscriber, and wake everyone who waits for a condition."""
        change = {"type": kind, "at": time.time(), **data}
        for queue in self._queues:
            queue.put_nowait(change)
        self._wake.set()
        self._wake = asyncio.Event()

    def subscribe(self) -> AsyncIterator[Change]:
        """Changes from now on, until the workspace stops."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._queues.add(queue)
        return self._drain(queue)

    async def _drain(self, queue: asyncio.Queue[Change | None]) -> AsyncIterator[Change]:
        try:
            while (change := await queue.get()) is not None:
                yield change
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        for queue in self._queues:
            queue.put_nowait(None)

    async def until(
        self, predicate: Callable[[], Awaitable[T | None] | T | None], timeout: float
    ) -> T | None:
        """The first truthy value of `predicate`, or None when `timeout` seconds have passed."""
        deadline = time.monotonic() + timeout
        while True:
            wake = self._wake
            value = predicate()
            found = cast(T | None, await value if inspect.isawaitable(value) else value)
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            try:
                async with asyncio.timeout(min(left, _POLL_SECONDS)):
                    await wake.wait()
            except TimeoutError:
                pass
