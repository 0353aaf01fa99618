"""Calls to Redis that failed, counted by what they failed of."""

from __future__ import annotations

from redis import exceptions

from bot.telemetry import metrics

_LATE = (TimeoutError, exceptions.TimeoutError)
_UNKNOWN_TO_IT = (exceptions.AuthenticationError, exceptions.AuthorizationError)
_AWAY = (exceptions.ConnectionError, OSError)


def count_error(error: Exception) -> None:
    metrics.STORE_ERRORS.labels(kind_of(error)).inc()


def kind_of(error: Exception) -> str:
    """`refused`: Redis answered, with an error."""
    if isinstance(error, _LATE):
        return "timeout"
    away = isinstance(error, _AWAY) and not isinstance(error, _UNKNOWN_TO_IT)
    return "connection" if away else "refused"
