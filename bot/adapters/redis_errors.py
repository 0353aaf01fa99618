"""How long a call to Redis may take, and what its failure means to the program."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from redis import exceptions

from bot.domain.errors import StoreBroken, StoreFull, StoreReadOnly, StoreUnavailable
from bot.telemetry import metrics

_FULL = ("oom command not allowed", "out of memory", "quota exceeded", "max data size exceeded")
"""What a server without memory says, in lower case. Inside a script its words stand within
others."""
_READ_ONLY = ("misconf ", "readonly ", "noreplicas ")
"""Its disk takes nothing, it is a replica, or it has too few replicas."""
_BROKEN = re.compile(r"^BROKEN (.+)")
"""What a script of `bot.adapters.redis.atomic_writes` answers."""
_OF_A_COMMAND = re.compile(r"^Command # \d+ \(\S+ (\S+)|^WRONGTYPE .* \((\S+)\)$")
"""How redis-py names a command of a pipeline, and its key; and how our client names a key."""
_WHOLE = re.compile("0|-?[1-9][0-9]{0,15}")
_TOO_LARGE = 2**53
"""Lua, and so each script, is exact below that."""
_OF_ANOTHER_TYPE = "is of another type than the program writes"


STORE_ERRORS = (exceptions.RedisError, OSError, UnicodeDecodeError)
"""What a call to Redis raises. `TimeoutError` is an `OSError`; the last one is raised where
somebody has put bytes there that are no text."""


class bounded(AbstractAsyncContextManager[None, None]):  # noqa: N801 - it is called as a function
    """Let the body's calls to Redis take `patience` seconds. Raises `StoreUnavailable`, and nothing
    of the client's; counts what failed. `key` is what they ask for, for the words."""

    def __init__(self, patience: float, key: str = "") -> None:
        self._timeout = asyncio.timeout(patience)
        self._key = key

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError as late:
            error = late
        if isinstance(error, STORE_ERRORS):
            count_error(error)
            raise unavailable(error, self._key) from error


def count_error(error: Exception) -> None:
    metrics.STORE_ERRORS.labels(kind_of(error)).inc()


def kind_of(error: Exception) -> str:
    """The label of the metric: `timeout`, `connection`, `broken` where what is stored is not as the
    program writes it, or `refused` where Redis answered with another error."""
    if what_is_broken(error):
        return "broken"
    match error:
        case TimeoutError() | exceptions.TimeoutError():
            return "timeout"
        case exceptions.AuthenticationError() | exceptions.AuthorizationError():
            return "refused"
        case exceptions.ConnectionError() | OSError():
            return "connection"
    return "refused"


def unavailable(error: Exception, key: str = "") -> StoreUnavailable:
    """The program's own error for one of the client's. `key` is what it asked for. The
    client asks a replica again until its time is up, so the answer that it got last stands behind a
    timeout."""
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause).lower() if isinstance(cause, exceptions.ResponseError) else ""
        if isinstance(cause, exceptions.OutOfMemoryError) or any(w in text for w in _FULL):
            return StoreFull(type(cause).__name__)
        if isinstance(cause, exceptions.ReadOnlyError) or any(w in text for w in _READ_ONLY):
            return StoreReadOnly(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    if what := what_is_broken(error, key):
        return StoreBroken(what)
    return StoreUnavailable(type(error).__name__)


def what_is_broken(error: Exception, key: str = "") -> str:
    """The key, where that is known, and what is wrong with it; empty where nothing is broken."""
    if isinstance(error, UnicodeDecodeError):
        return f"{key or 'something that was read'} is no text"
    if not isinstance(error, exceptions.ResponseError):
        return ""
    if found := _BROKEN.search(str(error)):
        return found[1]
    if "stream ID" in str(error):
        return f"{key or 'a stream'} has a number that the program does not give"
    if "WRONGTYPE" not in str(error):
        return ""
    named = _OF_A_COMMAND.search(str(error))
    return f"{(named[1] or named[2]) if named else key or 'a key'} {_OF_ANOTHER_TYPE}"


def whole_number(stored: object, key: str, field: str) -> int:
    """The number of a counter, as a read of it answered; 0 where it is not there. Raises
    `StoreBroken`, also for an error that a pipeline answered."""
    if isinstance(stored, Exception):
        raise broken(key, field, what_is_broken(stored) or "cannot be read") from stored
    text = "0" if stored is None else str(stored)
    if not _WHOLE.fullmatch(text) or abs(int(text)) >= _TOO_LARGE:
        raise broken(key, field, "is no whole number, or too large")
    return int(text)


def broken(key: str, field: str, why: str) -> StoreBroken:
    """The error for what was read and is not as the program writes it; counts it."""
    metrics.STORE_ERRORS.labels("broken").inc()
    return StoreBroken(f"{key} {field} {why}")
