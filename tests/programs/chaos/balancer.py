"""What stands before several web processes in HTTP mode: each request goes to the next of them,
and on to another where nobody listens."""

from __future__ import annotations

import itertools
from typing import Self

import aiohttp
from aiohttp import web

_HOP = {"host", "content-length", "connection", "transfer-encoding"}


class Balancer:
    """A request that a process has begun to take is not sent again: it may have counted."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._turn = itertools.count()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/slack/events"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(trust_env=False)
        app = web.Application()
        app.router.add_post("/slack/events", self._forward)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _forward(self, request: web.Request) -> web.Response:
        assert self._session is not None
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        first = next(self._turn)
        for n in range(len(self._ports)):
            port = self._ports[(first + n) % len(self._ports)]
            url = f"http://127.0.0.1:{port}/slack/events"
            try:
                async with self._session.post(url, data=body, headers=headers) as answer:
                    kind = answer.headers.get("Content-Type", "text/plain")
                    return web.Response(
                        status=answer.status,
                        body=await answer.read(),
                        headers={"Content-Type": kind},
                    )
            except aiohttp.ClientConnectorError:
                continue
            except aiohttp.ClientError:
                return web.Response(status=502)
        return web.Response(status=503)
