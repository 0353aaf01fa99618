"""One Socket Mode connection that drops nothing of what it has received.

The SDK's client, with five of its habits mended. It closes with aiohttp's `close()`, which throws
away every message that comes in between our closing frame and Slack's. It keeps no reference to
the task of a message. It sends an ack over its own connection alone, even when that has just gone
away. It asks for a new address over a kept connection, which may be as dead as the socket, and for
up to half a minute. And it tries that address for ever, although it opens once: where the answer to
the handshake was lost, nothing would come in any more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientError, WSCloseCode, WSMessage, WSMsgType
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)
_LOG = logging.getLogger("slack_sdk.socket_mode")
_LOG.setLevel(logging.CRITICAL)
"""Below that it logs what people type, and addresses that hold a ticket."""

PING_INTERVAL = 3.0
"""Seconds. A connection that went away without a word is noticed and replaced within four."""
ADDRESS_WITHIN = 5
"""Seconds for Slack to name a new address; after that it is asked again."""
OPEN_WITHIN = 5.0
"""Seconds for one address to open; after that Slack is asked for another."""
GOODBYE_WITHIN = 1.0
"""Seconds for Slack to answer our closing frame."""
_CLOSING_FRAME = struct.pack("!H", WSCloseCode.OK)

Send = Callable[["SocketConnection", str], Awaitable[None]]


class SocketConnection(SocketModeClient):
    """`send` is given every ack, to find a connection for it. `in_flight` holds the tasks of the
    messages that are being handled."""

    def __init__(self, app_token: str, slack: AsyncWebClient, send: Send) -> None:
        asking = _without_kept_connections(slack)
        super().__init__(app_token, web_client=asking, logger=_LOG, ping_interval=PING_INTERVAL)
        self.proxy = slack.proxy
        self.in_flight: set[asyncio.Task[None]] = set()
        self._send = send
        self._leaving = False
        self._heard_out = asyncio.Event()
        self.on_close_listeners.append(self._closed_by_slack)

    @property
    def usable(self) -> bool:
        """Whether an ack can go out over it."""
        session = self.current_session
        return not self._leaving and session is not None and not session.closed

    async def send_message(self, message: str) -> None:
        await self._send(self, message)

    async def sent(self, message: str) -> bool:
        """Send it over this very connection; answers whether that went well."""
        session = self.current_session
        if session is None or not self.usable:
            return False
        try:
            await session.send_str(message)
        except ConnectionError:
            return False
        return True

    async def enqueue_message(self, message: str) -> None:
        """Handle a message at once: what has been received is in `in_flight`."""
        task = asyncio.create_task(self.run_message_listeners(_parsed(message), message))
        self.in_flight.add(task)
        task.add_done_callback(self.in_flight.discard)

    async def connect(self) -> None:
        """Slack asks us now and then to go to another address: the old one is heard out first.
        Returns once connected, or closed."""
        if not self.stale:
            await self._say_goodbye()
        while not (self.closed or await self._opens()):
            log.warning("Socket Mode did not open; asking Slack for another address")
            self.wss_uri = None
        self._leaving = False

    async def _opens(self) -> bool:
        """Whether it could be opened at the address that is known, or at a new one."""
        while self.wss_uri is None and not self.closed:
            try:
                self.wss_uri = await self.issue_new_wss_url()
            except (SlackClientError, ClientError, OSError) as error:
                log.warning("Slack names no address for Socket Mode: %s", type(error).__name__)
                await asyncio.sleep(PING_INTERVAL)
        try:
            async with asyncio.timeout(OPEN_WITHIN):
                await super().connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            return False
        return True

    async def leave(self) -> None:
        """Go for good. What Slack sent before it heard of that is in hand then, and no ack can go
        out here any more."""
        self.default_auto_reconnect_enabled = False
        try:
            async with asyncio.timeout(GOODBYE_WITHIN), self.connect_operation_lock:
                await self._say_goodbye()
        except TimeoutError:
            pass

    async def close(self) -> None:
        """Let go of it, whether or not Slack answers."""
        try:
            async with asyncio.timeout(GOODBYE_WITHIN):
                await self.disconnect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            pass
        await super().close()  # type: ignore[no-untyped-call]

    async def _say_goodbye(self) -> None:
        """Send our closing frame, and listen until Slack's has come."""
        session = self.current_session
        if session is None or session.closed:
            return
        self._leaving, self.auto_reconnect_enabled = True, False
        self._heard_out.clear()
        try:
            async with asyncio.timeout(GOODBYE_WITHIN):
                await session.send_frame(_CLOSING_FRAME, WSMsgType.CLOSE)
                await self._heard_out.wait()
        except (TimeoutError, ConnectionError):
            pass

    async def _closed_by_slack(self, _: WSMessage) -> None:
        self._heard_out.set()


def _without_kept_connections(slack: AsyncWebClient) -> AsyncWebClient:
    asking = AsyncWebClient(base_url=slack.base_url, timeout=ADDRESS_WITHIN, retry_handlers=[])
    asking.proxy = slack.proxy
    return asking


def _parsed(message: str) -> dict[str, Any]:
    """Slack sends empty messages, too."""
    return json.loads(message) if message.startswith("{") else {}
