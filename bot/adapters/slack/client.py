"""How the program connects to Slack."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from aiohttp import ClientSession, ClientTimeout
from slack_sdk.web.async_client import AsyncWebClient

CALL_TIMEOUT = 20.0
"""Seconds for one call, an upload of a few megabytes included."""


def slack_session() -> ClientSession:
    """The HTTP session that every call shares; the SDK would open one for each call."""
    return ClientSession(timeout=ClientTimeout(total=CALL_TIMEOUT), trust_env=True)


def slack_client(token: str, base_url: str, session: ClientSession | None) -> AsyncWebClient:
    """A client that retries nothing by itself: what may be repeated is decided per call.

    The SDK takes `HTTPS_PROXY` for every host, so `NO_PROXY` is honoured here.
    """
    client = AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[])
    host = urlsplit(base_url).hostname or ""
    if host in {"127.0.0.1", "localhost", "::1"} or proxy_bypass(host):
        client.proxy = None
    return client
