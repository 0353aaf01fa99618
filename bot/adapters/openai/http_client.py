"""The HTTP client below the SDK's: aiohttp, with errors that tell what became of a request."""

from __future__ import annotations

from asyncio import Future
from typing import Any

import aiohttp
import httpx2
from openai import DefaultAioHttpClient

LONGEST_HEADER = 2**16
"""Bytes. aiohttp takes 8 KB, which the policies and cookies of gateways exceed."""
MOST_HEADERS = 512


class HttpClient(DefaultAioHttpClient):
    """Reads by aiohttp, whose parser takes a fraction of the processor's time for an image of
    megabytes. Raises httpx2's errors alone, and tells a request that found no connection from one
    whose connection broke: the SDK's transport calls both a `ConnectTimeout`."""

    def _init_transport(self, *args: Any, **options: Any) -> httpx2.AsyncBaseTransport:
        transport = super()._init_transport(*args, **options)
        _give_session(transport)
        return transport

    def _init_proxy_transport(
        self, proxy: httpx2.Proxy, *args: Any, **options: Any
    ) -> httpx2.AsyncBaseTransport:
        """Raises `ValueError` for a SOCKS proxy, with which aiohttp would speak HTTP."""
        if proxy.url.scheme not in {"http", "https"}:
            raise ValueError(f"{proxy.url.scheme} proxies are not supported: name an HTTP proxy")
        transport = super()._init_proxy_transport(_with_auth_header(proxy), *args, **options)
        _give_session(transport)
        return transport

    async def send(self, *args: Any, **options: Any) -> httpx2.Response:
        try:
            return await super().send(*args, **options)
        except httpx2.ConnectTimeout as error:
            if isinstance(error.__cause__, aiohttp.ConnectionTimeoutError):
                raise
            if isinstance(error.__cause__, aiohttp.ClientConnectorError):
                raise httpx2.ConnectError(str(error)) from error.__cause__
            raise httpx2.RemoteProtocolError("the connection broke") from error.__cause__
        except aiohttp.ClientError as error:
            raise httpx2.RemoteProtocolError("the answer is no HTTP") from error


async def remove_credentials(request: httpx2.Request) -> None:
    """Take name and password out of the address: the header has them, and aiohttp refuses both."""
    request.url = request.url.copy_with(username=None, password=None)


def _with_auth_header(proxy: httpx2.Proxy) -> httpx2.Proxy:
    """The proxy with name and password in a header: aiohttp would encode them in Latin-1."""
    if proxy.auth is None:
        return proxy
    authorization = aiohttp.encode_basic_auth(*proxy.auth)
    return httpx2.Proxy(proxy.url, headers={"Proxy-Authorization": authorization})


def _give_session(transport: Any) -> None:
    """Make the SDK's transport use a session that keeps no cookies and ends broken bodies. The
    transport makes it at its first request."""

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=transport.limits.max_connections or 0,
            keepalive_timeout=transport.limits.keepalive_expiry,
            ssl=transport.ssl_context,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=[_greet_proxy, _keep_reason_ascii, _end_broken_body],
            max_field_size=LONGEST_HEADER,
            max_headers=MOST_HEADERS,
        )

    transport.client = session


async def _greet_proxy(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Give a proxy its headers with a plain request too: aiohttp gives them where it asks for a
    tunnel."""
    if request.proxy_headers and not request.is_ssl():
        request.headers.update(request.proxy_headers)
    return await handler(request)


async def _keep_reason_ascii(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A status line may hold bytes that are no UTF-8, which the SDK's transport can't encode."""
    response = await handler(request)
    response.reason = (response.reason or "").encode("ascii", "replace").decode()
    return response


async def _end_broken_body(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Where a body breaks its framing after the head is read, aiohttp closes the connection and
    leaves the reader waiting. The reader gets an error with the connection's end."""
    response = await handler(request)
    content, connection = response.content, response.connection
    if content.is_eof() or connection is None or connection.protocol is None:
        return response

    closed = connection.protocol.closed

    def fail(_: object) -> None:
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the body breaks its framing"))

    def end() -> None:
        if closed is not None:
            closed.remove_done_callback(fail)

    if closed is None:
        fail(closed)
    else:
        closed.remove_done_callback(_retrieve_error)
        closed.add_done_callback(_retrieve_error)
        closed.add_done_callback(fail)
        content.on_eof(end)
    return response


def _retrieve_error(closed: Future[None]) -> None:
    """Keep asyncio from logging a connection's end that nobody waits for."""
    if not closed.cancelled():
        closed.exception()
