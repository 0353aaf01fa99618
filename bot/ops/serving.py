"""`/healthz`, `/readyz` and `/metrics`; and the HTTP server.

`/healthz` says whether Redis answers, from the start of the process to its end. `/readyz` says
whether the process should get work now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bot.concurrency import consume_exception
from bot.domain.errors import StoreTrouble, StoreUnavailable
from bot.ops.connections import ConnectionLimits, Connections
from bot.telemetry.metrics import READY, REGISTRY

MAX_BODY = 1024 * 1024
"""Bytes; Slack's largest payloads are a fraction of it."""
ANSWER_WITHIN = 2.5
"""Seconds, however long the checks take."""

_BACKLOG = 128
"""Connections that the kernel holds until they are accepted."""

Refresh = Callable[[], Awaitable[None]]
"""Updates the metrics that are read at a scrape; bounded, and never raises."""


class Monitoring:
    """Not ready until `started`, nor once `stop` is set. `ping` raises `StoreUnavailable` where
    Redis does not answer."""

    def __init__(self, ping: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        self._ping = ping
        self._stop = stop
        self._started = False
        self._needs: list[tuple[Callable[[], bool], str]] = []
        self._refreshers: list[Refresh] = []

    def add_readiness_check(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Ready only while `condition` holds; `otherwise` is the reason given."""
        self._needs.append((condition, otherwise))

    def refresh_by(self, refresh: Refresh) -> None:
        self._refreshers.append(refresh)

    def started(self) -> None:
        self._started = True

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self._healthz),
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._metrics),
        ]

    async def _healthz(self, _: web.Request) -> web.Response:
        return _response(await _answer_within(ANSWER_WITHIN, self._store_trouble()))

    async def _readyz(self, _: web.Request) -> web.Response:
        return _response(await self._not_ready())

    async def _not_ready(self) -> str:
        """Why the process is not ready; empty where it is."""
        if self._stop.is_set():
            return "stopping"
        if not self._started:
            return "starting"
        return await _answer_within(ANSWER_WITHIN, self._trouble())

    async def _metrics(self, request: web.Request) -> web.Response:
        reason, *_ = await asyncio.gather(
            self._not_ready(), *(refresh() for refresh in self._refreshers)
        )
        READY.set(not reason)
        encode, content_type = _encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(REGISTRY), headers={"Content-Type": content_type})

    async def _trouble(self) -> str:
        """The first reason why the process cannot take work now."""
        if reason := await self._store_trouble():
            return reason
        return next((reason for holds, reason in self._needs if not holds()), "")

    async def _store_trouble(self) -> str:
        try:
            await self._ping()
        except StoreUnavailable as error:
            if error.trouble is StoreTrouble.AWAY:
                return f"Redis does not answer ({error})"
        return ""


class HttpServer:
    """An aiohttp server for the given routes. `port` 0 takes a free one. Once `stop` is set, the
    server keeps no connection for another request."""

    def __init__(
        self,
        routes: list[web.RouteDef],
        port: int,
        host: str = "0.0.0.0",  # noqa: S104 - a container's port is reached from outside
        stop: asyncio.Event | None = None,
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._connections = Connections(limits)
        application = web.Application(
            client_max_size=MAX_BODY, middlewares=[self._connections.watch]
        )
        application.add_routes(routes)
        application.on_response_prepare.append(self._close_connection)
        self._stop = stop
        self._runner = web.AppRunner(application, shutdown_timeout=3.0)
        self._host = host
        self._port = port
        self._listening: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen, and answer the port. Raises `OSError` where the port is taken."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the server was stopped while it started")
        self._listening = await asyncio.get_running_loop().create_server(
            partial(self._connections.make, server), self._host, self._port, backlog=_BACKLOG
        )
        port: int = self._listening.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Take no new requests; let running ones finish, for up to 3 s."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    async def _close_connection(self, _: web.Request, response: web.StreamResponse) -> None:
        if self._stop is not None and self._stop.is_set():
            response.headers["Connection"] = "close"
            response.force_close()


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """The encoder for the format that the request accepts, and its content type."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        return choose_encoder("")


def _response(reason: str) -> web.Response:
    if reason:
        return web.json_response({"status": "unavailable", "reason": reason}, status=503)
    return web.json_response({"status": "ok"})


async def _answer_within(seconds: float, check: Awaitable[str]) -> str:
    """The result of the check. A check that does not end is cancelled, and not waited for, because
    it may not even notice that."""
    task = asyncio.ensure_future(check)
    task.add_done_callback(consume_exception)
    try:
        await asyncio.wait({task}, timeout=seconds)
        return task.result() if task.done() else f"no answer within {seconds:g} s"
    finally:
        task.cancel()
