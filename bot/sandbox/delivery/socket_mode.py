"""The server of Socket Mode: connections, envelopes, acks.

An envelope goes to one connection. Its ack counts on any of the app's connections, because the SDKs
ack on the connection that is open by then.
"""

import asyncio
import itertools
import json
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.workspace.workspace import Workspace

MOST_CONNECTIONS = 10
GRACE_SECONDS = 1.0  # between telling a connection to go and closing it


class ConnectionLostError(Exception):
    """The envelope did not go out, or is an event whose socket closed before it was acked."""


class NoConnectionError(Exception):
    """No socket is open."""


@dataclass(eq=False)
class Connection:
    """One open connection. `events` are those sent on it that are not acked yet.

    A `retiring` connection has been told to disconnect. It may still ack, but gets nothing new.
    """

    ws: web.WebSocketResponse
    request: web.Request
    events: set[asyncio.Future[Any]] = field(default_factory=set)
    retiring: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """End the TCP connection with no closing handshake."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Sockets:
    """All connections of the app. While `hearing` is cleared, messages of the bot wait, and so
    does its closing of a connection."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.links: list[Connection] = []
        self.hearing = asyncio.Event()
        self.hearing.set()
        self._pending: dict[str, asyncio.Future[Any]] = {}
        self._turn = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes. It needs a ticket of `apps.connections.open`."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._workspace.tickets.sockets:
            return web.Response(status=401, text="invalid ticket")
        ws = web.WebSocketResponse(heartbeat=20, autoclose=False)
        await ws.prepare(request)
        self._workspace.tickets.sockets.discard(ticket)
        if len(self.links) >= MOST_CONNECTIONS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await ws.close()
            return ws
        await self._serve(Connection(ws, request))
        return ws

    async def _serve(self, link: Connection) -> None:
        self.links.append(link)
        try:
            await link.ws.send_json(self._hello())
            self._workspace.changes.emit("sockets", count=len(self.links))
            async for message in link.ws:
                await self.hearing.wait()
                if message.type is WSMsgType.TEXT:
                    self._take_ack(message.data)
            await self.hearing.wait()
            await link.ws.close()
        except ConnectionError:
            pass
        finally:
            self._drop(link)

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self.links),
            "debug_info": {
                "host": "applink-sandbox",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self._workspace.app.app_id},
        }

    def _take_ack(self, data: str) -> None:
        try:
            ack = json.loads(data)
        except ValueError:
            self._workspace.violate(f"not JSON on a socket: {data[:80]!r}")
            return
        waiting = self._pending.get(str(ack.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(ack.get("payload"))

    def _drop(self, link: Connection) -> None:
        if link in self.links:
            self.links.remove(link)
        link.gone.set()
        for waiting in link.events:
            if not waiting.done():
                waiting.set_exception(ConnectionLostError())
        self._workspace.changes.emit("sockets", count=len(self.links))

    def usable(self) -> list[Connection]:
        return [link for link in self.links if not (link.ws.closed or link.retiring)]

    async def send(self, kind: str, payload: dict[str, Any], **extra: Any) -> Any:
        """Send an envelope on the next open connection and return the payload of its ack.

        An event raises ConnectionLostError when that connection closes, and is sent again.
        """
        usable = self.usable()
        if not usable:
            raise NoConnectionError
        link = usable[next(self._turn) % len(usable)]
        envelope_id = str(uuid.uuid4())
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload, **extra}
        waiting = self._pending[envelope_id] = asyncio.get_running_loop().create_future()
        if kind == "events_api":
            link.events.add(waiting)
        try:
            await link.ws.send_json(envelope)
            return await waiting
        except ConnectionError as error:
            raise ConnectionLostError from error
        finally:
            link.events.discard(waiting)
            del self._pending[envelope_id]

    async def disconnect(self, reason: str, *, abrupt: bool) -> None:
        """End every open connection: with a `disconnect` message, or abruptly without one."""
        for link in list(self.links):
            if abrupt:
                link.cut()
            else:
                link.retiring = reason != "warning"
                self._spawn(self._send_disconnect(link, reason))

    async def close(self) -> None:
        """End everything at once, with a closing handshake."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(link.ws.close() for link in list(self.links)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_disconnect(self, link: Connection, reason: str) -> None:
        try:
            await link.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})
        except ConnectionError:
            return
        if not link.retiring:
            return
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await link.gone.wait()
        except TimeoutError:
            await link.ws.close()
