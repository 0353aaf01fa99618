"""`CommandBatches`: commands that are asked for at the same moment share a round trip.

Where many people ask at once, most of what a command costs this process is a connection, a write
and an answer of its own. So the commands of one pass of the event loop go out together.

    wait for a connection ─ send what is still wanted ─ hand out each answer
            └── the connection is lost: again, while there is time ──┘

A command whose caller has given up before it is sent is not sent: a write of which a person was
told that it failed would come after all.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from opentelemetry.trace import SpanKind
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as SocketTimeout

from bot.adapters.redis_errors import STORE_ERRORS, bounded, count_error, unavailable
from bot.telemetry.context import span

_AT_ONCE = 500
"""Commands of one round trip: the first answer is there when the last one is."""

_TRIED_AGAIN = (NoScriptError, ReadOnlyError)

_ONCE = Retry(NoBackoff(), retries=0)

_Call = tuple[tuple[Any, ...], asyncio.Future[Any]]


class CommandBatches:
    """`patience` bounds each command, in seconds. Each raises `StoreUnavailable` for itself alone;
    one that is given up does not hold up the others. A server that is away counts as one failure
    for all commands of a round trip."""

    def __init__(self, redis: Redis, patience: float) -> None:
        self._redis: Any = redis
        self._patience = patience
        self._waiting: list[_Call] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def run_command(self, *command: Any) -> Any:
        """Run a command that may run twice, such as a read."""
        alone = partial(self._redis.execute_command, *command)
        return await self._run(command, alone, str(command[1]))

    async def run_script(
        self, script: AsyncScript, keys: Sequence[Any], args: Sequence[Any]
    ) -> Any:
        """Run a script that may run twice, or that knows that it has run."""
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
        calls, self._waiting = self._waiting, []
        for start in range(0, len(calls), _AT_ONCE):
            sending = asyncio.create_task(self._send(calls[start : start + _AT_ONCE]))
            self._under_way.add(sending)
            sending.add_done_callback(self._under_way.discard)

    async def _send(self, calls: list[_Call]) -> None:
        """As redis-py does it with one command: again where the connection is lost. The trace is
        that of the first caller, and the span has the names of all commands."""
        retry = self._redis.get_retry() or _ONCE
        try:
            async with asyncio.timeout(self._patience):
                with span(" ".join({command[0]: None for command, _ in calls}), SpanKind.CLIENT):
                    await retry.call_with_retry(partial(self._send_wanted, calls), _try_again)
        except Exception as error:  # noqa: BLE001 - each caller sorts it
            if isinstance(error, STORE_ERRORS):
                count_error(error)
            for _, answer in calls:
                if not answer.done():
                    answer.set_exception(error)

    async def _send_wanted(self, calls: list[_Call]) -> None:
        pool = self._redis.connection_pool
        connection = await pool.get_connection()
        all_read = False
        try:
            await connection.check_health()
            wanted = [call for call in calls if not call[1].done()]
            packed = connection.pack_commands([command for command, _ in wanted])
            await connection.send_packed_command(packed, check_health=False)
            async with asyncio.timeout(connection.socket_timeout):
                for command, answer in wanted:
                    await self._read(connection, command[0], answer)
            all_read = True
        except TimeoutError:
            raise SocketTimeout("no answer") from None
        finally:
            if not all_read:  # what still comes on it is nobody's answer
                await connection.disconnect(nowait=True)
            await pool.release(connection)

    async def _read(self, connection: Any, command: str, answer: asyncio.Future[Any]) -> None:
        """The caller bounds this in time: one deadline costs less than one for each answer."""
        try:
            found = await connection.read_response(timeout=math.inf)
        except ResponseError as error:
            if not isinstance(error, _TRIED_AGAIN):
                count_error(error)
            if not answer.done():
                answer.set_exception(error)
        else:
            convert = self._redis.response_callbacks.get(command)
            if not answer.done():
                answer.set_result(convert(found) if convert else found)


async def _try_again(error: Exception) -> None:
    """Do nothing between two tries: the client's settings ask for the pause."""
