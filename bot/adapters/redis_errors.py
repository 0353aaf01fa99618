"""How long a call to Redis may take, and what its failure means to the program."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from redis import exceptions

from bot.domain.errors import StoreFull, StoreReadOnly, StoreUnavailable
from bot.telemetry import metrics

_FULL = ("oom command not allowed", "out of memory", "quota exceeded", "max data size exceeded")
"""What a server without memory says, in lower case. Inside a script its words stand within
others."""
_READ_ONLY = ("misconf ", "readonly ", "noreplicas ")
"""Its disk takes nothing, it is a replica, or it has too few replicas."""


_OF_THE_STORE = (exceptions.RedisError, OSError, UnicodeDecodeError)
"""`TimeoutError` is an `OSError`."""


class bounded(AbstractAsyncContextManager[None, None]):  # noqa: N801 - it is called as a function
    """Let the body's calls to Redis take `patience` seconds. Raises `StoreUnavailable`, and nothing
    of the client's; counts what failed. Bytes that are no text, which somebody has put there, are
    an error of the store, too."""

    def __init__(self, patience: float) -> None:
        self._timeout = asyncio.timeout(patience)

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
        if isinstance(error, _OF_THE_STORE):
            count_error(error)
            raise unavailable(error) from error


def count_error(error: Exception) -> None:
    metrics.STORE_ERRORS.labels(kind_of(error)).inc()


def kind_of(error: Exception) -> str:
    """The label of the metric: `timeout`, `connection`, or `refused` where Redis answered with an
    error."""
    match error:
        case TimeoutError() | exceptions.TimeoutError():
            return "timeout"
        case exceptions.AuthenticationError() | exceptions.AuthorizationError():
            return "refused"
        case exceptions.ConnectionError() | OSError():
            return "connection"
    return "refused"


def unavailable(error: Exception) -> StoreUnavailable:
    """The program's own error for one of the client's. The client asks a replica again until its
    time is up, so the answer that it got last stands behind a timeout."""
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause).lower() if isinstance(cause, exceptions.ResponseError) else ""
        if isinstance(cause, exceptions.OutOfMemoryError) or any(w in text for w in _FULL):
            return StoreFull(type(cause).__name__)
        if isinstance(cause, exceptions.ReadOnlyError) or any(w in text for w in _READ_ONLY):
            return StoreReadOnly(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return StoreUnavailable(type(error).__name__)
