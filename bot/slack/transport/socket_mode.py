"""Socket Mode: Slack delivers over WebSockets that we open.

Nothing that has been received is dropped when a connection closes. Slack goes on sending until it
has read our closing frame, so that a request may come in when no ack can go out any more over its
connection: it is handled all the same, and acked over another one, which is opened for that where
none is left.

Not documented: whether Slack takes such an ack (its SDKs count on it when they reconnect), and
whether it gives commands and clicks that were not acked to another connection, as it does events.
After a `kill -9` the person has to repeat them.
"""

from __future__ import annotations

import asyncio
import logging

from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.domain.errors import ImagineError
from bot.slack.dispatch import dispatch, socket_mode_request
from bot.slack.request_tracking import InFlightRequests, track_request
from bot.slack.transport.socket_connection import ACK_WITHIN, SocketConnection

log = logging.getLogger(__name__)

CONNECTIONS = 2
"""Slack delivers to any one of an app's connections (at most 10). It closes each now and then:
a second one stands in meanwhile."""
CONNECT_WITHIN = 30.0
_OPEN_MORE_FOR = 10.0
"""Seconds of `stop`. A connection opened for the last acks may be sent more while it closes."""


class SocketNotOpened(ImagineError):
    """No connection came about at start-up."""


class SocketModeConnections:
    """The connections that carry requests to a Bolt app."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        in_flight: InFlightRequests,
        connections: int = CONNECTIONS,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._open_more_until = 0.0
        self._opening = asyncio.Lock()
        self._in_flight = in_flight
        self.connections = [self._connection() for _ in range(connections)]

    @property
    def connected(self) -> bool:
        """Whether requests can come in."""
        return any(connection.usable for connection in self.connections)

    async def start(self) -> None:
        """Returns once connected. Raises `SocketNotOpened` after `CONNECT_WITHIN` seconds."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                await asyncio.gather(*(one.connect() for one in self.connections))
        except TimeoutError:
            raise SocketNotOpened(
                "Socket Mode does not open: Slack gives an address that cannot be reached. "
                "Check the network and proxies."
            ) from None

    async def stop(self) -> None:
        """Close one after the other, so that the next can carry the last acks of the one before.
        What they open for the very last comes at the end of the list."""
        self._open_more_until = asyncio.get_running_loop().time() + _OPEN_MORE_FOR
        while self.connections:
            connection = self.connections[0]
            await _wait_until_handled(connection)
            await connection.leave()
            if not await _wait_until_handled(connection):
                log.warning("some requests were not answered in time")
            await connection.close()
            self.connections.remove(connection)

    def _connection(self) -> SocketConnection:
        connection = SocketConnection(self._app_token, self._app.client, self)
        connection.socket_mode_request_listeners.append(self._handle)
        return connection

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        started = asyncio.get_running_loop().time()
        with track_request(self._in_flight, request.payload) as tracked:
            try:
                response = await dispatch(self._app, socket_mode_request(request))
                await send_async_response(client, request, response, started)
                tracked.acked = response.status == 200
            except Exception as error:  # noqa: BLE001 - the SDK would log the request's body
                log.error("a request could not be dispatched: %s", type(error).__name__)

    async def open_another(self) -> None:
        """While they stop, open a connection for the last acks where none is usable."""
        if asyncio.get_running_loop().time() >= self._open_more_until:
            return
        async with self._opening:
            if not self.connected:
                connection = self._connection()
                self.connections.append(connection)
                await connection.connect()


async def _wait_until_handled(connection: SocketConnection) -> bool:
    """Wait until all its messages are handled; answers whether they are."""
    try:
        async with asyncio.timeout(ACK_WITHIN):
            while connection.in_flight:
                await asyncio.wait(connection.in_flight)
    except TimeoutError:
        return False
    return True
