"""`SocketConnection`: one WebSocket over which Slack delivers."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from aiohttp import WSCloseCode, WSMessage, WSMsgType
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.dispatch import read_envelope

log = logging.getLogger(__name__)

_LOG = logging.getLogger("slack_sdk.socket_mode")
_LOG.setLevel(logging.CRITICAL)
"""Below that it logs what people type, and addresses that hold a ticket."""

ACK_WITHIN = 3.0
"""Seconds that Slack waits for an ack."""
_LOOK_AGAIN = 0.05
PING_INTERVAL = 3.0
"""Seconds. A connection that went away without a word is noticed and replaced within four."""
ADDRESS_WITHIN = 5
"""Seconds for Slack to name a new address; after that it is asked again."""
OPEN_WITHIN = 5.0
"""Seconds for one address to open; after that Slack is asked for another."""
CLOSE_WITHIN = 1.0
"""Seconds for Slack to answer our closing frame."""
_CLOSING_FRAME = struct.pack("!H", WSCloseCode.OK)


class ConnectionPool(Protocol):
    """The connections of an app, each of which carries the acks of all."""

    @property
    def connections(self) -> Sequence[SocketConnection]: ...

    async def open_another(self) -> None:
        """Open one for the last acks where none is usable."""


class SocketConnection(SocketModeClient):
    """The SDK's client, with five faults mended. The SDK's closes with aiohttp's `close()`, which
    drops every message that comes in between our closing frame and Slack's. It keeps no reference
    to the task of a message. It sends an ack over its own connection alone, even one that has just
    gone away. It asks for a new address over a kept connection, which may be as dead as the socket.
    And it tries one address for ever, although an address opens only once.

    `pool` has the connections that carry an ack where this one cannot. `in_flight` holds the tasks
    of the messages that are being handled."""

    def __init__(self, app_token: str, slack: AsyncWebClient, pool: ConnectionPool) -> None:
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
