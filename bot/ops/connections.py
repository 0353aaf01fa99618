"""Connections to the HTTP server, which cuts those that wait too long or are too many.

A connection is half-open until the server has a whole request, headers and body. After that it is
kept for the next request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice

from aiohttp import web

_TRIM_AFTER = 0.25
"""Seconds from the first connection too many until the oldest are cut. In a flood the oldest may be
a request that has come and has not been read: what is accepted meanwhile stays, until the next
time."""
_LINGER = 1.0
"""Seconds for the rest of a body that nobody wants, so that the client can read the answer."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class ConnectionLimits:
    """`request_within` is the seconds for one request to arrive; Slack waits 3 s for the answer.
    `kept_for` is the seconds after a request for the next one, and longer than the minute for which
    proxies usually keep a connection. The oldest connections beyond `most_half_open` and
    `most_kept` are cut: a process that may open 1,024 files still has some for Redis and Slack."""

    request_within: float = 5.0
    kept_for: float = 75.0
    most_half_open: int = 400
    most_kept: int = 400


class Connections:
    """The open connections of one server, each with the timer that cuts it."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._half_open: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        self._kept: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        self._trimming = False

    def make(self, server: web.Server) -> web.RequestHandler:
        """The protocol of a new connection."""
        loop = asyncio.get_running_loop()
        return _Connection(self, server, loop=loop, access_log=None, lingering_time=_LINGER)

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The headers of a request are there; wait for its body."""
        connection = request.protocol
        if not request.content.is_eof():
            self.wait_for_request(connection)
        request.content.on_eof(partial(self._keep, connection))
        return await handler(request)

    def wait_for_request(self, connection: web.RequestHandler) -> None:
        self.forget(connection)
        within = self._limits.request_within
        self._half_open[connection] = self._cut_after(within, connection)
        self._trim_soon()

    def request_begins(self, connection: web.RequestHandler) -> None:
        """The first bytes of the next request are there, on a connection that was kept for it."""
        if connection in self._kept:
            self.wait_for_request(connection)

    def _keep(self, connection: web.RequestHandler) -> None:
        if self.forget(connection):  # not one that was closed meanwhile
            self._kept[connection] = self._cut_after(self._limits.kept_for, connection)
            self._trim_soon()

    def _cut_after(self, seconds: float, connection: web.RequestHandler) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._cut, connection)

    def _trim_soon(self) -> None:
        limits = self._limits
        half_open, kept = len(self._half_open), len(self._kept)
        too_many = half_open > limits.most_half_open or kept > limits.most_kept
        if too_many and not self._trimming:
            self._trimming = True
            loop = asyncio.get_running_loop()
            loop.call_later(_TRIM_AFTER, self._trim, loop.time())

    def _trim(self, since: float) -> None:
        """Cut the oldest beyond the limits, of those that are older than `since`."""
        self._trimming = False
        limits = self._limits
        for group, most, seconds in (
            (self._half_open, limits.most_half_open, limits.request_within),
            (self._kept, limits.most_kept, limits.kept_for),
        ):
            oldest = list(islice(group.items(), max(0, len(group) - most)))
            for connection, timer in oldest:
                if timer.when() - seconds < since:
                    self._cut(connection)
        self._trim_soon()

    def _cut(self, connection: web.RequestHandler) -> None:
        self.forget(connection)
        connection.force_close()

    def forget(self, connection: web.RequestHandler) -> bool:
        """Stop the connection's timer; answers whether there was one."""
        timer = self._half_open.pop(connection, None) or self._kept.pop(connection, None)
        if timer is not None:
            timer.cancel()
        return timer is not None


class _Connection(web.RequestHandler):
    def __init__(self, connections: Connections, server: web.Server, **options: object) -> None:
        super().__init__(server, **options)  # type: ignore[arg-type]
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.wait_for_request(self)

    def data_received(self, data: bytes) -> None:
        self._connections.request_begins(self)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.forget(self)
        super().connection_lost(exc)
