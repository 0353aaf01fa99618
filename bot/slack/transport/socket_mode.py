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
import struct
from contextlib import suppress

from aiohttp import WSCloseCode, WSMessage, WSMsgType
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import ImagineError
from bot.slack.dispatch import dispatch, read_envelope, socket_mode_request
from bot.slack.request_tracking import InFlightRequests, track_request

log = logging.getLogger(__name__)
_LOG = logging.getLogger("slack_sdk.socket_mode")
_LOG.setLevel(logging.CRITICAL)
"""Below that it logs what people type, and addresses that hold a ticket."""

CONNECTIONS = 2
"""Slack delivers to any one of an app's connections (at most 10). It closes each now and then:
a second one stands in meanwhile."""
CONNECT_WITHIN = 30.0
ACK_WITHIN = 3.0
"""Seconds that Slack waits for an ack."""
_LOOK_AGAIN = 0.05
_OPEN_MORE_FOR = 10.0
"""Seconds of `stop`. A connection opened for the last acks may be sent more while it closes."""
PING_INTERVAL = 3.0
"""Seconds. A connection that went away without a word is noticed and replaced within four."""
ADDRESS_WITHIN = 5
"""Seconds for Slack to name a new address; after that it is asked again."""
OPEN_WITHIN = 5.0
"""Seconds for one address to open; after that Slack is asked for another."""
CLOSE_WITHIN = 1.0
"""Seconds for Slack to answer our closing frame."""
_CLOSING_FRAME = struct.pack("!H", WSCloseCode.OK)


class SocketNotOpened(ImagineError):
    """No connection came about at start-up."""


class SocketConnection(SocketModeClient):
    """The SDK's client, with five faults mended. The SDK's closes with aiohttp's `close()`, which
    drops every message that comes in between our closing frame and Slack's. It keeps no reference
    to the task of a message. It sends an ack over its own connection alone, even one that has just
    gone away. It asks for a new address over a kept connection, which may be as dead as the socket.
    And it tries one address for ever, although an address opens only once.

    `pool` has the connections that carry an ack where this one cannot. `in_flight` holds the tasks
    of the messages that are being handled."""

    def __init__(self, app_token: str, slack: AsyncWebClient, pool: SocketModeConnections) -> None:
        # a client of its own, without kept connections
        asking = AsyncWebClient(base_url=slack.base_url, timeout=ADDRESS_WITHIN, retry_handlers=[])
        asking.proxy = slack.proxy
        super().__init__(app_token, web_client=asking, logger=_LOG, ping_interval=PING_INTERVAL)
        self.proxy = slack.proxy
        self.in_flight: set[asyncio.Task[None]] = set()
        self._pool = pool
        self._closing = False
        self._slack_closed = asyncio.Event()
        self.on_close_listeners.append(self._on_slack_close)

    @property
    def usable(self) -> bool:
        """Whether an ack can go out over it."""
        session = self.current_session
        return not self._closing and session is not None and not session.closed

    async def send_message(self, message: str) -> None:
        """Send an ack over this connection where it is open, else over another. Raises
        `TimeoutError` when it is too late for an ack."""
        async with asyncio.timeout(ACK_WITHIN):
            while True:
                for connection in (self, *self._pool.connections):
                    if connection.usable and (session := connection.current_session):
                        with suppress(ConnectionError):
                            return await session.send_str(message)
                await asyncio.sleep(_LOOK_AGAIN)
                await self._pool.open_another()

    async def enqueue_message(self, message: str) -> None:
        """Handle a message at once: what has been received is in `in_flight`. Slack sends empty
        messages, too."""
        task = asyncio.create_task(self.run_message_listeners(read_envelope(message), message))
        self.in_flight.add(task)
        task.add_done_callback(self.in_flight.discard)

    async def connect(self) -> None:
        """Connect. Slack asks now and then for another address: what the old one still sends is
        received first. Returns once connected, or closed."""
        if not self.stale:
            await self._close_handshake()
        while not (self.closed or await self._try_open()):
            log.warning("Socket Mode did not open; asking Slack for another address")
            self.wss_uri = None
        self._closing = False

    async def _try_open(self) -> bool:
        """Open at the address that is known, or at a new one; answers whether that worked."""
        while self.wss_uri is None and not self.closed:
            if address := await self._ask_for_address():
                self.wss_uri = address
            else:
                await asyncio.sleep(PING_INTERVAL)
        try:
            async with asyncio.timeout(OPEN_WITHIN):
                await super().connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            return False
        return True

    async def _ask_for_address(self) -> str:
        """Empty where Slack names none. The SDK raises nearly anything at an odd answer."""
        try:
            address = await self.issue_new_wss_url()
        except Exception as error:  # noqa: BLE001 - it is asked for again
            log.warning("Slack names no address for Socket Mode: %s", type(error).__name__)
            return ""
        return address if isinstance(address, str) and address.startswith("ws") else ""

    async def leave(self) -> None:
        """Close for good. What Slack sent before it closed is in `in_flight` then. No ack goes out
        here any more."""
        self.default_auto_reconnect_enabled = False
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN), self.connect_operation_lock:
                await self._close_handshake()

    async def close(self) -> None:
        """Free the connection, whether or not Slack answers."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self.disconnect()  # type: ignore[no-untyped-call]
        await super().close()  # type: ignore[no-untyped-call]

    async def _close_handshake(self) -> None:
        """Send our closing frame, and listen until Slack's has come."""
        session = self.current_session
        if session is None or session.closed:
            return
        self._closing, self.auto_reconnect_enabled = True, False
        self._slack_closed.clear()
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await session.send_frame(_CLOSING_FRAME, WSMsgType.CLOSE)
                await self._slack_closed.wait()

    async def _on_slack_close(self, _: WSMessage) -> None:
        self._slack_closed.set()


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
