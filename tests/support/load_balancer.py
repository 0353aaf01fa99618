"""What stands before the web processes in HTTP mode, and does what load balancers do."""

from __future__ import annotations

import asyncio
import itertools
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

CHECK_EVERY = 0.2
"""Seconds between two health checks of a target."""
CHECK_WITHIN = 1.0
_HOP_BY_HOP = {"host", "content-length", "connection", "keep-alive", "transfer-encoding"}


class LoadBalancer:
    """Sends each request to the next target whose `/readyz` answers 200, over connections that it
    keeps. Where no connection comes about it tries another target; what has been sent to one is
    never sent again. `failures` says what could not be delivered."""

    def __init__(self) -> None:
        self.port = 0
        self.failures: list[str] = []
        self.ready: dict[int, bool] = {}
        self._turn = itertools.count()
        self._session = aiohttp.ClientSession(trust_env=False)
        self._checks: dict[int, asyncio.Task[None]] = {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/slack/events"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/slack/events", self._forward)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for port in list(self._checks):
            await self.remove(port)
        if self._runner is not None:
            await self._runner.cleanup()
        await self._session.close()

    async def add(self, port: int) -> None:
        """Returns once the target gets requests."""
        self.ready[port] = await self._healthy(port)
        self._checks[port] = asyncio.create_task(self._check(port))
        async with asyncio.timeout(30):
            while not self.ready[port]:
                await asyncio.sleep(CHECK_EVERY / 4)

    async def remove(self, port: int) -> None:
        check = self._checks.pop(port)
        check.cancel()
        await asyncio.gather(check, return_exceptions=True)
        del self.ready[port]

    async def _check(self, port: int) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY)
            self.ready[port] = await self._healthy(port)

    async def _healthy(self, port: int) -> bool:
        timeout = aiohttp.ClientTimeout(total=CHECK_WITHIN)
        url = f"http://127.0.0.1:{port}/readyz"
        try:
            async with self._session.get(url, timeout=timeout) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _targets(self) -> list[int]:
        """Those that are ready, beginning with the one whose turn it is. With none, all of them:
        a check that is late is no reason to turn everybody away."""
        ports = [port for port, ready in self.ready.items() if ready] or list(self.ready)
        first = next(self._turn) % max(1, len(ports))
        return ports[first:] + ports[:first]

    async def _forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        for port in self._targets():
            try:
                return await self._pass_on(port, body, headers)
            except aiohttp.ClientConnectorError:
                continue
            except aiohttp.ClientError as error:
                self.failures.append(f"{type(error).__name__} from {port}")
                return web.Response(status=502)
        self.failures.append("no target")
        return web.Response(status=503)

    async def _pass_on(self, port: int, body: bytes, headers: dict[str, str]) -> web.Response:
        url = f"http://127.0.0.1:{port}/slack/events"
        async with self._session.post(url, data=body, headers=headers) as response:
            kind = response.headers.get("Content-Type", "text/plain")
            content = await response.read()
        return web.Response(status=response.status, body=content, headers={"Content-Type": kind})
