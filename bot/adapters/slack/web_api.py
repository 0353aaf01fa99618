"""Slack's Web API: the client, one call, and the retries of what may be repeated.

A failed call raises the program's own errors and is counted by the metrics.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_before_delay,
)

from bot.adapters.slack.api_errors import (
    code_of,
    is_busy,
    retry_after,
    status_of,
)
from bot.adapters.slack.pacing import SlackPacing
from bot.domain.app_blocked import cause_of, is_doubtful
from bot.domain.errors import (
    ImageNotReady,
    ImagineError,
    SlackAppBlocked,
    SlackBusy,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.slack_errors import Meaning, meaning_of, seconds_to_wait
from bot.telemetry import meters
from bot.work_slots import sleep_without_slot

log = logging.getLogger(__name__)

T = TypeVar("T")
E = TypeVar("E", bound=ImagineError)

CALL_TIMEOUT = 20.0
"""Seconds for one call, an upload of a few megabytes included."""
PATIENCE = 120.0
"""Seconds for which a call is repeated while Slack is busy or away."""

_SLACK_FILE = ("slack file", "slack_file")


def slack_session() -> ClientSession:
    """The HTTP session that every call shares; the SDK would open one for each call."""
    return ClientSession(timeout=ClientTimeout(total=CALL_TIMEOUT), trust_env=True)


class SlackClient(AsyncWebClient):
    """A client that reports whether Slack still lets the app in.

    `on_app_blocked` is called with the method and the error code of each call that Slack refuses
    because it refuses the whole app, `on_doubt` with those of a call for which that is possible,
    and `on_worked` with the method of each call that Slack accepts. `before_call` is called with
    the method of each call, and may raise instead. `pacing` gives each call its turn.

    An answer that is no JSON object, or does not say `ok: true`, is an error without a code.
    """

    on_app_blocked: Callable[[str, str], None] | None = None
    on_doubt: Callable[[str, str], None] | None = None
    on_worked: Callable[[str], None] | None = None
    before_call: Callable[[str], None] | None = None
    pacing: SlackPacing | None = None

    async def _request(self, **options: Any) -> dict[str, Any]:
        """The SDK's reading of an answer raises nearly anything where it is not as documented."""
        try:
            answer = await super()._request(**options)
        except SlackApiError as error:  # with aiohttp's response, which has no data
            headers = getattr(error.response, "headers", {})
            return {"data": {}, "headers": headers, "status_code": status_of(error)}
        except (ValueError, LookupError, RecursionError) as error:  # neither text nor JSON
            raise SlackClientError(f"unreadable: {type(error).__name__}") from error
        data = answer["data"]
        if not isinstance(data, dict):
            answer["data"] = {}
        elif data.get("ok") is not True:
            answer["data"] = {**data, "ok": False}
        return answer

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        if self.before_call is not None:
            self.before_call(api_method)
        arguments = options.get("json") or options.get("params") or {}
        if self.pacing is not None:
            await self.pacing.before(api_method, arguments)
        began = time.monotonic()
        try:
            response = await super().api_call(api_method, **options)
        except SlackApiError as error:
            code = code_of(error)
            if self.pacing is not None and is_busy(error):
                await self.pacing.hold(api_method, arguments, retry_after(error.response.headers))
            if self.on_app_blocked is not None and cause_of(api_method, code):
                self.on_app_blocked(api_method, code)
            elif self.on_doubt is not None and is_doubtful(api_method, code):
                self.on_doubt(api_method, code)
            raise
        if self.pacing is not None:
            await self.pacing.made(api_method, arguments, time.monotonic() - began)
        if self.on_worked is not None:
            self.on_worked(api_method)
        return response


def slack_client(token: str, base_url: str, session: ClientSession | None) -> SlackClient:
    """A client that retries nothing by itself: each caller decides what may be repeated.

    The SDK takes `HTTPS_PROXY` for every host, so `NO_PROXY` is honoured here.
    """
    client = SlackClient(token=token, base_url=base_url, session=session, retry_handlers=[])
    host = urlsplit(base_url).hostname or ""
    if host in {"127.0.0.1", "localhost", "::1"} or proxy_bypass(host):
        client.proxy = None
    return client


async def call(method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any) -> Any:
    """Make the call once and return its body.

    Raises `SlackBusy`, `SlackAppBlocked`, another `SlackUnavailable` (the call may have had its
    effect), `ImageNotReady` or another `SlackRefused`.
    """
    name = getattr(method, "__name__", "call").replace("_", ".", 1)
    try:
        response = await method(**arguments)
    except SlackApiError as error:
        raise counted(name, _translated(name, error)) from error
    except (ClientError, SlackClientError, OSError) as error:  # TimeoutError is an OSError
        raise counted(name, SlackUnavailable(f"{name}: {type(error).__name__}")) from error
    if not isinstance(response.data, dict):
        raise counted(name, SlackUnavailable(f"{name}: no JSON"))
    return response.data


def counted(method: str, error: E) -> E:
    """The same error, after the metrics have counted it."""
    match error:
        case SlackBusy():
            kind = "busy"
        case ImageNotReady():  # expected until Slack knows the file
            kind = "image_not_ready"
        case SlackAppBlocked() | SlackRefused():
            kind = error.code
        case _:
            kind = "unavailable"
    meters.count_slack_error(method, kind)
    return error


def _translated(name: str, error: SlackApiError) -> SlackUnavailable | SlackRefused:
    response, status, code = error.response, status_of(error), code_of(error)
    if cause_of(name, code):
        return SlackAppBlocked(name, code)
    if is_busy(error):
        return SlackBusy(retry_after(response.headers))
    if seconds := seconds_to_wait(code):
        return SlackBusy(seconds)
    if status >= 500 or status == 408 or meaning_of(code) is Meaning.PASSING:
        return SlackUnavailable(f"{name}: {status} {code}")
    if code == f"http_{status}" and not 400 <= status < 500:
        return SlackUnavailable(f"{name}: {status}")  # a page of a gateway
    if code == "invalid_blocks" and any(words in str(response.data) for words in _SLACK_FILE):
        return ImageNotReady(name, code)
    return SlackRefused(name, code)


def text_in(answer: Mapping[str, Any], key: str, method: str) -> str:
    """A text of a good answer. Where it lacks that, nobody knows what the call has done: raises
    `SlackUnavailable`."""
    if isinstance(text := answer.get(key), str) and text:
        return text
    raise counted(method, SlackUnavailable(f"{method}: no {key}"))


async def with_retries(
    step: Callable[[], Awaitable[T]],
    patience: float = PATIENCE,
    not_counted: Callable[[], float] = lambda: 0.0,
    on: type[SlackUnavailable] = SlackUnavailable,
) -> T:
    """Repeat a step while Slack is busy or away, for `patience` seconds at most, and for those that
    are `not_counted`; after `on` alone. A Slack that refuses the whole app is not asked again."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(on) & retry_if_not_exception_type(SlackAppBlocked),
        wait=_wait,
        stop=lambda state: stop_before_delay(patience + not_counted())(state),
        before_sleep=_log_wait,
        sleep=sleep_without_slot,
        reraise=True,
    )
    async for attempt in retrying:
        with attempt:
            result = await step()
    return result


def _wait(state: RetryCallState) -> float:
    """Seconds: what Slack asked for, else 0.5, 1, 2, 4, 4, …"""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, SlackBusy):
        return error.retry_after + 0.1
    return float(min(4.0, 0.5 * 2 ** (state.attempt_number - 1)))


def _log_wait(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("Slack: %s, again in %.1f s", error, state.upcoming_sleep)
