"""How the program connects to Slack, and what Slack's refusals are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from aiohttp import ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.shut_out import cause_of, is_doubtful

CALL_TIMEOUT = 20.0
"""Seconds for one call, an upload of a few megabytes included."""
_CODE = re.compile(r"[a-z0-9_]{1,80}")
"""Slack's errors are names. What stands in their place is not for logs."""


def slack_session() -> ClientSession:
    """The HTTP session that every call shares; the SDK would open one for each call."""
    return ClientSession(timeout=ClientTimeout(total=CALL_TIMEOUT), trust_env=True)


class SlackClient(AsyncWebClient):
    """Tells `on_shut_out` the method and the error code of each call that Slack refuses because it
    refuses the whole app, `on_doubt` the same of one that may be so, and `on_worked` the method of
    each that it takes."""

    on_shut_out: Callable[[str, str], None] | None = None
    on_doubt: Callable[[str, str], None] | None = None
    on_worked: Callable[[str], None] | None = None

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        try:
            response = await super().api_call(api_method, **options)
        except SlackApiError as error:
            code = code_of(error)
            if self.on_shut_out is not None and cause_of(api_method, code):
                self.on_shut_out(api_method, code)
            elif self.on_doubt is not None and is_doubtful(api_method, code):
                self.on_doubt(api_method, code)
            raise
        if self.on_worked is not None:
            self.on_worked(api_method)
        return response


def slack_client(token: str, base_url: str, session: ClientSession | None) -> SlackClient:
    """A client that retries nothing by itself: what may be repeated is decided per call.

    The SDK takes `HTTPS_PROXY` for every host, so `NO_PROXY` is honoured here.
    """
    client = SlackClient(token=token, base_url=base_url, session=session, retry_handlers=[])
    host = urlsplit(base_url).hostname or ""
    if host in {"127.0.0.1", "localhost", "::1"} or proxy_bypass(host):
        client.proxy = None
    return client


def status_of(error: SlackApiError) -> int:
    """The HTTP status; 0 where it is not known."""
    response = error.response
    return getattr(response, "status_code", 0) or getattr(response, "status", 0)


def code_of(error: SlackApiError) -> str:
    """Slack's name of the error, or `http_…` with the status where a gateway answered in its
    place."""
    data = getattr(error.response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if not code:
        return f"http_{status_of(error)}"
    return code if _CODE.fullmatch(code) else "unknown_error"
