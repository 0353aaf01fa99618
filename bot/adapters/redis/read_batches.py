"""`ReadBatches`: reads that are asked for at the same moment share a round trip.

Where many people ask at once, most of what a read costs this process is a connection, a write and
an answer of its own. So the reads of one pass of the event loop go out as one pipeline. Writes do
not: a write whose caller has given up must not be sent later.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ReadOnlyError

_AT_ONCE = 500
"""Reads of one pipeline: the first answer is there when the last one is."""

_Read = tuple[tuple[Any, ...], asyncio.Future[Any]]


class ReadBatches:
    """`patience` bounds each round trip, in seconds. A read raises what redis-py raises for it
    alone; one that is given up does not hold up the others."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._waiting: list[_Read] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def read(self, *command: Any) -> Any:
        """Run a command that changes nothing but a time to live."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._send_all)
        try:
            return await answer
        except ReadOnlyError:  # only a command of its own is tried again until there is a primary
            return await self._redis.execute_command(*command)

    def _send_all(self) -> None:
        reads, self._waiting = self._waiting, []
        for start in range(0, len(reads), _AT_ONCE):
            sending = asyncio.create_task(self._send(reads[start : start + _AT_ONCE]))
            self._under_way.add(sending)
            sending.add_done_callback(self._under_way.discard)

    async def _send(self, reads: list[_Read]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for command, _ in reads:
            pipeline.execute_command(*command)
        try:
            async with asyncio.timeout(self._patience):
                answers = await pipeline.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001 - each caller sorts it
            answers = [error] * len(reads)
        for (_, waiting), answer in zip(reads, answers, strict=True):
            if waiting.done():
                continue
            if isinstance(answer, Exception):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
