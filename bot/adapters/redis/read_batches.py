"""`ReadBatches`: reads that are asked for at the same moment share a round trip.

Where many people ask at once, most of what a read costs this process is a connection, a write and
an answer of its own. So the reads of one pass of the event loop go out as one pipeline. Writes do
not: a write whose caller has given up must not be sent later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, ReadOnlyError

from bot.adapters.redis_errors import STORE_ERRORS, bounded, count_error, unavailable

_AT_ONCE = 500
"""Reads of one pipeline: the first answer is there when the last one is."""

_TRIED_AGAIN = (NoScriptError, ReadOnlyError)

_Read = tuple[tuple[Any, ...], asyncio.Future[Any]]


class ReadBatches:
    """`patience` bounds each read, in seconds. Each raises `StoreUnavailable` for itself alone; one
    that is given up does not hold up the others. A server that is away counts as one failure for
    all reads of a round trip."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._waiting: list[_Read] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def read(self, *command: Any) -> Any:
        """Run a command that changes nothing but a time to live."""
        alone = partial(self._redis.execute_command, *command)
        return await self._run(command, alone, str(command[1]))

    async def run(self, script: AsyncScript, keys: Sequence[Any], args: Sequence[Any]) -> Any:
        """Run a script that may run although its caller has given up."""
        command = ("EVALSHA", script.sha, len(keys), *keys, *args)
        key = str(keys[0]) if keys else ""
        return await self._run(command, lambda: script(keys=keys, args=args), key)

    async def _run(
        self, command: tuple[Any, ...], alone: Callable[[], Awaitable[Any]], key: str
    ) -> Any:
        """Run the command with the others. It is tried again `alone` where the server does not know
        its script, or is no primary now: only then until there is one."""
        try:
            return await self._answer(command)
        except _TRIED_AGAIN:
            async with bounded(self._patience):
                return await alone()
        except STORE_ERRORS as error:
            raise unavailable(error, key) from error

    async def _answer(self, command: tuple[Any, ...]) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._send_all)
        return await answer

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
        for failure in {id(a): a for a in answers if isinstance(a, STORE_ERRORS)}.values():
            if not isinstance(failure, _TRIED_AGAIN):
                count_error(failure)
        for (_, waiting), answer in zip(reads, answers, strict=True):
            if waiting.done():
                continue
            if isinstance(answer, Exception):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
