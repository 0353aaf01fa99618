"""One call to Slack: what went wrong is told in the program's own errors, and may be repeated."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_before_delay,
)

from bot.adapters.slack.client import code_of, status_of
from bot.domain.errors import (
    ImageNotReady,
    SlackBusy,
    SlackRefused,
    SlackShutOut,
    SlackUnavailable,
)
from bot.domain.shut_out import cause_of
from bot.telemetry import metrics

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds for which a call is repeated while Slack is busy or away."""

_PASSING = {
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
}
"""Errors in an `ok: false` answer that Slack documents as passing."""
_LIMITED = {"ratelimited", "rate_limited"}
"""Methods differ in how they say it."""
_SLACK_FILE = ("slack file", "slack_file")


async def call(method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any) -> Any:
    """Make the call once and answer its body.

    Raises `SlackBusy`, `SlackShutOut`, another `SlackUnavailable` (it may have had its effect all
    the same), `ImageNotReady` or another `SlackRefused`.
    """
    name = getattr(method, "__name__", "call").replace("_", ".", 1)
    with errors_counted(name):
        return await _call(name, method, arguments)


@contextmanager
def errors_counted(method: str) -> Iterator[None]:
    """Whatever a call to Slack ends with is told to the metrics, too."""
    try:
        yield
    except SlackBusy:
        metrics.slack_error(method, "busy")
        raise
    except SlackShutOut as error:
        metrics.slack_error(method, error.code)
        raise
    except SlackUnavailable:
        metrics.slack_error(method, "unavailable")
        raise
    except ImageNotReady:  # asked again and again, until it is
        metrics.slack_error(method, "image_not_ready")
        raise
    except SlackRefused as error:
        metrics.slack_error(method, error.code)
        raise


async def _call(
    name: str, method: Callable[..., Awaitable[AsyncSlackResponse]], arguments: dict[str, Any]
) -> dict[str, Any]:
    try:
        response = await method(**arguments)
    except SlackApiError as error:
        raise _translated(name, error) from error
    except (ClientError, SlackClientError, OSError) as error:  # OSError: TimeoutError is one
        raise SlackUnavailable(f"{name}: {type(error).__name__}") from error
    if not isinstance(response.data, dict):
        raise SlackUnavailable(f"{name}: no JSON")
    return response.data


def _translated(name: str, error: SlackApiError) -> Exception:
    response, status, code = error.response, status_of(error), code_of(error)
    if cause_of(name, code):
        return SlackShutOut(name, code)
    if status == 429 or code in _LIMITED:
        return SlackBusy(retry_after(response.headers))
    if status >= 500 or status == 408 or code in _PASSING:
        return SlackUnavailable(f"{name}: {status} {code}")
    if code == f"http_{status}" and not 400 <= status < 500:
        return SlackUnavailable(f"{name}: {status}")  # a page of a gateway
    if code == "invalid_blocks" and any(words in str(response.data) for words in _SLACK_FILE):
        return ImageNotReady(name, code)
    return SlackRefused(name, code)


def retry_after(headers: Any) -> float:
    for key, value in headers.items():
        if key.lower() == "retry-after":
            try:
                return max(0.0, float(value))
            except ValueError:
                break
    return 1.0


def _wait(state: RetryCallState) -> float:
    """Seconds: what Slack asked for, else 0.5, 1, 2, 4, 4, …"""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, SlackBusy):
        return error.retry_after + 0.1
    return float(min(4.0, 0.5 * 2 ** (state.attempt_number - 1)))


def _log_wait(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("Slack: %s, again in %.1f s", error, state.upcoming_sleep)


async def with_retries(step: Callable[[], Awaitable[T]], patience: float = PATIENCE) -> T:
    """Repeat a step that may be repeated, while Slack is busy or away, but not while it refuses
    the whole app."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(SlackUnavailable) & retry_if_not_exception_type(SlackShutOut),
        wait=_wait,
        stop=stop_before_delay(patience),
        before_sleep=_log_wait,
        reraise=True,
    )

    async def awaited() -> T:
        return await step()  # tenacity awaits coroutine functions alone, and a lambda is none

    return await retrying(awaited)
