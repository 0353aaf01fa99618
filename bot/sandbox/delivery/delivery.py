"""Delivers payloads to the bot over Socket Mode or signed HTTP, and times its acks."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.delivery.http import HttpDelivery, HttpRefusedError
from bot.sandbox.delivery.socket_mode import ConnectionLostError, NoConnectionError, Sockets
from bot.sandbox.workspace.workspace import Workspace

SECONDS_TO_ACK = 3.0
_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "channel_archive": "channels:read",
    "channel_deleted": "channels:read",
    "channel_left": "channels:read",
    "group_archive": "groups:read",
    "group_deleted": "groups:read",
    "group_left": "groups:read",
}


@dataclass
class Ack:
    """How the bot answered an action.

    `ok`: acked in time. `seconds`: from the action to the ack. `status`: of HTTP (200 for an ack on
    a socket, 0 for none). `error`: "operation_timeout", "dispatch_failed", or why nothing was sent.
    `errors`: the messages under a form's fields. `attempts`: deliveries, more than one
    for events only.
    """

    ok: bool
    seconds: float = 0.0
    status: int = 0
    body: Any = None
    trigger_id: str | None = None
    error: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    attempts: int = 1
    message: Any = None


class Delivery:
    """`event_retry_delays` are the seconds before each new try of an event that wasn't acked.

    `subscribed`: the bot events in the app's manifest, such as `message.im`; None means all.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.sockets = Sockets(workspace)
        self.http: HttpDelivery | None = None
        self.twice = False
        self.event_retry_delays: tuple[float, ...] = (0.05, 0.2, 0.5)
        self.subscribed: frozenset[str] | None = None
        self._second_deliveries: set[asyncio.Task[Ack]] = set()

    async def deliver_action(self, kind: str, payload: dict[str, Any], timeout: float) -> Ack:
        """Deliver a `slash_commands` or `interactive` payload, which is never tried again."""
        self._send_twice(kind, payload, timeout)
        ack = await self._try(kind, payload, timeout, {"accepts_response_payload": True})
        ack.trigger_id = payload.get("trigger_id")
        self._emit(kind, payload, ack)
        return ack

    async def deliver_event(
        self, payload: dict[str, Any], timeout: float, *, quiet: bool = False
    ) -> Ack:
        """Deliver an event that the app is subscribed to, again up to three times without an ack.

        A `quiet` event is not shown on the wire.
        """
        if not self._is_subscribed(_event_name(payload["event"])):
            return Ack(ok=True, attempts=0)
        self._send_twice("events_api", payload, timeout)
        retry: dict[str, Any] = {"retry_attempt": 0, "retry_reason": ""}
        for attempt, delay in enumerate((*self.event_retry_delays, None), start=1):
            extra = {"accepts_response_payload": False, **retry}
            ack = await self._try("events_api", payload, timeout, extra)
            ack.attempts = attempt
            if ack.ok or delay is None:
                break
            retry = {"retry_attempt": attempt, "retry_reason": self._retry_reason(ack)}
            await asyncio.sleep(delay)
        if not quiet:
            self._emit("events_api", payload, ack)
        return ack

    def _retry_reason(self, ack: Ack) -> str:
        if ack.error != "operation_timeout":
            return "http_error"
        return "timeout" if self.http is None else "http_timeout"

    def _is_subscribed(self, event: str) -> bool:
        """Whether the app subscribes to the event and holds the scope that it needs."""
        scopes, needed = self.workspace.scopes, _SCOPES.get(event)
        granted = scopes is None or needed is None or needed in scopes
        return granted and (self.subscribed is None or event in self.subscribed)

    async def stop(self) -> None:
        for task in self._second_deliveries:
            task.cancel()
        await asyncio.gather(*self._second_deliveries, return_exceptions=True)
        await self.sockets.close()

    def _send_twice(self, kind: str, payload: dict[str, Any], timeout: float) -> None:
        """Deliver the payload a second time in parallel, when `twice` is set."""
        if self.twice:
            extra = {"accepts_response_payload": kind != "events_api"}
            task = asyncio.ensure_future(self._try(kind, payload, timeout, extra))
            self._second_deliveries.add(task)
            task.add_done_callback(self._second_deliveries.discard)

    async def _try(
        self, kind: str, payload: dict[str, Any], timeout: float, extra: dict[str, Any]
    ) -> Ack:
        started = time.monotonic()
        ack = Ack(ok=False)
        try:
            async with asyncio.timeout(timeout):
                ack.body = await self._send(kind, payload, extra, started + timeout)
            ack.ok, ack.status = True, 200
        except TimeoutError:
            ack.error = "operation_timeout"
        except HttpRefusedError as refused:
            ack.status, ack.error = refused.status, "dispatch_failed"
        except NoConnectionError:
            ack.error = "dispatch_failed"
        ack.seconds = time.monotonic() - started
        return ack

    async def _send(
        self, kind: str, payload: dict[str, Any], extra: dict[str, Any], deadline: float
    ) -> Any:
        if self.http is not None:
            return await self.http.send(kind, payload, extra)
        try:
            return await self.sockets.send(kind, payload, **extra)
        except ConnectionLostError:
            if (
                kind != "events_api"
            ):  # Slack does not deliver it again, so the person waits for the timeout
                await asyncio.sleep(deadline - time.monotonic() + 1)
            raise TimeoutError from None

    def _emit(self, kind: str, payload: dict[str, Any], ack: Ack) -> None:
        what = _summary(payload)
        ms = round(ack.seconds * 1000, 1)
        seen = {"ok": ack.ok, "ms": ms, "status": ack.status, "error": ack.error}
        self.workspace.changes.emit("ack", kind=kind, what=what, payload=_shown(payload), **seen)


def _shown(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload without what proves to the bot that it comes from Slack."""
    return {name: value for name, value in payload.items() if name != "token"}


def _event_name(inner: dict[str, Any]) -> str:
    """The name of the event in a manifest."""
    kind = str(inner.get("type"))
    is_message = kind == "message" and "channel_type" in inner
    return f"{kind}.{inner['channel_type']}" if is_message else kind


def _summary(payload: dict[str, Any]) -> str:
    """Who did what, in a few words for the wire."""
    event = payload.get("event", {})
    kind = str(payload.get("command") or event.get("type") or payload.get("type"))
    pressed = [action.get("action_id", "") for action in payload.get("actions", [])]
    form = [payload.get("view", {}).get("callback_id", "")] if kind.startswith("view_") else []
    name = payload.get("user_name") or payload.get("user", {}).get("name") or event.get("user")
    return " ".join([f"{name}:", kind, *pressed, *form])
