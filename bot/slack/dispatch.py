"""The one way of a request into Bolt, over HTTP and over Socket Mode.

What Slack sends and nobody handles is acked and counted by its type: Slack switches a subscription
off whose deliveries fail. That holds for what nobody can read, too. Only a person's request that is
known and breaks is not acked: the person sees that, and Slack sends an event again.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.slack.request_tracking import is_known, mark_unhandled
from bot.telemetry import meters, metrics
from bot.views.words import UNKNOWN_COMMAND

log = logging.getLogger(__name__)

_ASKS_FOR_OPTIONS = {"block_suggestion", "dialog_suggestion"}


async def dispatch(app: AsyncApp, request: AsyncBoltRequest | None) -> BoltResponse:
    """Bolt's response, or an ack. None stands for a request that nobody can read. Answers 400 where
    a known request breaks."""
    if request is None:
        return ack_unhandled(None)
    try:
        response = await app.async_dispatch(request)
    except Exception as error:  # noqa: BLE001 - Slack is never answered with 500
        log.error("a request could not be dispatched: %s", type(error).__name__)
        response = BoltResponse(status=500)
    if response.status < 404:
        return response
    if is_known(request.body):
        log.error("a request was not acked")
        return BoltResponse(status=400, body={"error": "bad request"})
    return ack_unhandled(request.body)


def ack_unhandled(body: object) -> BoltResponse:
    """Count it, and ack it as far as it asks for an answer."""
    kind = _type_of(body)
    log.info("nobody handles this: %s", meters.count_unhandled(kind))
    mark_unhandled()
    answer: dict[str, Any] = {}
    if kind == "slash_command":
        answer = {"response_type": "ephemeral", "text": UNKNOWN_COMMAND}
    elif kind in _ASKS_FOR_OPTIONS:
        answer = {"options": []}
    return BoltResponse(status=200, body=answer or "")


def _type_of(body: object) -> str:
    """The type of an event or of another payload, as Slack names it."""
    match body:
        case {"command": _}:
            return "slash_command"
        case {"event": {"type": str(kind)}} | {"type": str(kind)}:
            return kind
        case {"ssl_check": _}:
            return "ssl_check"
    return "unreadable" if body is None else metrics.OTHER


def read_envelope(message: str) -> dict[str, Any]:
    """A message of Slack's. Each envelope is to be acked, so one without a type or a payload has
    empty ones."""
    try:
        parsed = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(parsed, dict):
        return {}
    if isinstance(parsed.get("envelope_id"), str):
        payload = parsed.get("payload")
        return {"type": "", **parsed, "payload": payload if isinstance(payload, dict) else {}}
    return parsed


def socket_mode_request(request: SocketModeRequest) -> AsyncBoltRequest | None:
    """The request for Bolt; None where Bolt cannot read the payload."""
    try:
        headers = build_headers(request)
        return AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=headers)
    except Exception as error:  # noqa: BLE001 - it is acked all the same
        log.error("a request could not be parsed: %s", type(error).__name__)
        return None
