"""The SDK's client, set up so that the SDK repeats no paid call."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy

from httpcore2 import AsyncHTTP11Connection
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

from bot.adapters.openai.bounded_answers import ACCEPT_ENCODING, limit_answers

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
"""Seconds of silence that a free call stands. A paid one has no such limit: an image takes its
time in silence, and the backend's own deadline ends it."""

AsyncHTTP11Connection.READ_NUM_BYTES = 2**18
"""Bytes at once: each read goes through a dozen layers, and an image takes dozens of them."""

FREE_RETRIES = 4
"""About 7 s of trying again, for calls that cost nothing."""


def openai_client(api_key: str, base_url: str) -> AsyncOpenAI:
    """A client for paid calls: the SDK retries none of them. A compatible server may need no key,
    but the SDK does not start without one. No answer is read beyond a limit, and no cookie
    is kept."""
    http = DefaultAsyncHttpxClient(
        headers={"Accept-Encoding": ACCEPT_ENCODING},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        event_hooks={"response": [limit_answers()]},
    )
    return AsyncOpenAI(
        api_key=api_key.strip() or "none",
        base_url=base_url,
        max_retries=0,
        timeout=Timeout(None, connect=CONNECT_TIMEOUT),
        http_client=http,
    )


def for_free_calls(client: AsyncOpenAI) -> AsyncOpenAI:
    """The same client for calls that may be repeated: the SDK retries them with a growing wait."""
    return client.with_options(
        max_retries=FREE_RETRIES, timeout=Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
    )
