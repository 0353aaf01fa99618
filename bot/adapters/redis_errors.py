"""Calls to Redis that failed: counted by what they failed of, and told apart for the program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from redis import exceptions

from bot.domain.errors import StoreFull, StoreReadOnly, StoreUnavailable
from bot.telemetry import metrics

_LATE = (TimeoutError, exceptions.TimeoutError)
_UNKNOWN_TO_IT = (exceptions.AuthenticationError, exceptions.AuthorizationError)
_AWAY = (exceptions.ConnectionError, OSError)

_FULL = ("oom command not allowed", "out of memory", "quota exceeded", "max data size exceeded")
"""What a server without memory says, in lower case. Inside a script its words stand within
others."""
_READ_ONLY = ("misconf ", "readonly ", "noreplicas ")
"""Its disk takes nothing, it is a replica, or it has too few of them."""


@asynccontextmanager
async def bounded(patience: float) -> AsyncIterator[None]:
    """Calls to Redis that may take so many seconds. Raises `StoreUnavailable`, and nothing of the
    client's; what failed is counted."""
    try:
        async with asyncio.timeout(patience):
            yield
    except (exceptions.RedisError, OSError) as error:  # OSError: TimeoutError is one
        count_error(error)
        raise unavailable(error) from error


def count_error(error: Exception) -> None:
    metrics.STORE_ERRORS.labels(kind_of(error)).inc()


def kind_of(error: Exception) -> str:
    """`refused`: Redis answered, with an error."""
    if isinstance(error, _LATE):
        return "timeout"
    away = isinstance(error, _AWAY) and not isinstance(error, _UNKNOWN_TO_IT)
    return "connection" if away else "refused"


def unavailable(error: Exception) -> StoreUnavailable:
    """The program's own error for one of the client's. The client asks a replica again until its
    time is up, so what it heard last stands behind a timeout."""
    for cause in _chain(error):
        if isinstance(cause, exceptions.OutOfMemoryError):
            return StoreFull(type(cause).__name__)
        if isinstance(cause, exceptions.ReadOnlyError):
            return StoreReadOnly(type(cause).__name__)
        if isinstance(cause, exceptions.ResponseError):
            text = str(cause).lower()
            if any(words in text for words in _FULL):
                return StoreFull(type(cause).__name__)
            if any(words in text for words in _READ_ONLY):
                return StoreReadOnly(type(cause).__name__)
    return StoreUnavailable(type(error).__name__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what stands behind it, newest first."""
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__
