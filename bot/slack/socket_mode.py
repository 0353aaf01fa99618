"""Socket Mode: Slack delivers over WebSockets that we open."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

from slack_bolt.adapter.socket_mode.async_internals import (
    run_async_bolt_app,
    send_async_response,
)
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.domain.errors import ImagineError

log = logging.getLogger(__name__)
_SDK_LOG = logging.getLogger("slack_sdk.socket_mode")
_SDK_LOG.setLevel(logging.CRITICAL)
"""Below that it logs what people type, and addresses that hold a ticket."""

CONNECTIONS = 2
"""Slack delivers to any one of an app's connections (at most 10). It closes each now and then, and
the SDK closes the old one before it opens the next: a second one stands in meanwhile."""
PING_INTERVAL = 3.0
"""Seconds. A connection that went away without a word is noticed and replaced within four."""
_LAST_ACKS = 3.0
CONNECT_WITHIN = 30.0
_TRY_FOR = 8.0
"""Seconds for one address; after that, Slack is asked for another."""


class SocketNotOpened(ImagineError):
    """No connection came about at start-up."""


class SocketModeConnections:
    """Carries requests to a Bolt app, and lets those in hand be acked before it closes."""

    def __init__(self, app: AsyncApp, app_token: str, connections: int = CONNECTIONS) -> None:
        self._app = app
        self._in_hand: set[asyncio.Task[None]] = set()
        self._clients = [self._client(app_token) for _ in range(connections)]

    async def start(self) -> None:
        """Returns once connected. Raises `SocketNotOpened` after `CONNECT_WITHIN` seconds."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                await asyncio.gather(*(_connect(client) for client in self._clients))
        except TimeoutError:
            raise SocketNotOpened(
                "Socket Mode does not open: Slack gives an address that cannot be reached. "
                "Check the network and proxies."
            ) from None

    async def stop(self) -> None:
        """Finish what was received, then close."""
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=_LAST_ACKS)
        for client in self._clients:
            await client.close()  # type: ignore[no-untyped-call]

    def _client(self, app_token: str) -> SocketModeClient:
        client = SocketModeClient(
            app_token, web_client=self._app.client, logger=_SDK_LOG, ping_interval=PING_INTERVAL
        )
        client.proxy = self._app.client.proxy
        client.socket_mode_request_listeners.append(self._handle)
        return client

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._in_hand.add(task)
        started = asyncio.get_running_loop().time()
        try:
            response = await run_async_bolt_app(self._app, request)
            await send_async_response(client, request, response, started)
        except Exception as error:  # noqa: BLE001 - the SDK would log the request's body
            log.error("a request could not be dispatched: %s", type(error).__name__)
        finally:
            self._in_hand.discard(task)


async def _connect(client: SocketModeClient) -> None:
    """Left alone, the SDK would try the first address for ever."""
    while True:
        try:
            async with asyncio.timeout(_TRY_FOR):
                await client.connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            log.warning("Socket Mode did not open; asking Slack for another address")
            client.wss_uri = None
        else:
            return
