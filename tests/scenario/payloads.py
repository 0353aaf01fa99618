"""Slack's requests, as payloads and signed."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from typing import Any

from slack_bolt.async_app import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.views.ids import DIRECT_IMAGE, PROMPT_BLOCK, PROMPT_INPUT
from tests.fakes import CHANNEL, OWNER

SECRET = "signing-secret"
RESPONSE_URL = "https://hooks.slack.test/1"
WORKSPACE = "https://example.slack.com/"
BOT, DIRECT = "UBOT", "D1"
_numbers = itertools.count(1)

Payload = dict[str, Any]


def signed(body: str, content_type: str = "application/x-www-form-urlencoded") -> AsyncBoltRequest:
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body)
    headers: dict[str, str | Sequence[str]] = {
        "content-type": [content_type],
        "x-slack-signature": [signature or ""],
        "x-slack-request-timestamp": [timestamp],
    }
    return AsyncBoltRequest(body=body, headers=headers)


def signed_event(inner: Payload) -> AsyncBoltRequest:
    """Each delivery of an event has an id of its own here: nothing may rest on it."""
    body = {
        "type": "event_callback",
        "team_id": "T1",
        "api_app_id": "A1",
        "event": inner,
        "event_id": f"Ev{next(_numbers)}",
        "event_time": 1,
    }
    return signed(json.dumps(body), "application/json")


def trigger() -> str:
    return f"trigger.{next(_numbers)}"


def command(text: str, **changes: str) -> Payload:
    return {
        "command": "/imagine",
        "text": text,
        "team_id": "T1",
        "user_id": OWNER,
        "channel_id": CHANNEL,
        "response_url": RESPONSE_URL,
        "trigger_id": trigger(),
        **changes,
    }


def mention(
    text: str, *, user: str = OWNER, ts: str = "", thread_ts: str = "", **changes: Any
) -> Payload:
    """A message that mentions the bot. `text` is as Slack sends it."""
    event = {
        "type": "app_mention",
        "user": user,
        "text": f"<@{BOT}> {text}",
        "ts": ts or f"{next(_numbers)}.7",
        "channel": CHANNEL,
    }
    return event | ({"thread_ts": thread_ts} if thread_ts else {}) | changes


def direct(text: str, **changes: Any) -> Payload:
    """A direct message to the bot."""
    event = mention(text, **changes)
    place = {"type": "message", "channel": DIRECT, "channel_type": "im", "text": text}
    return event | place | changes


def shortcut(
    message: Payload | None = None, *, user: str = OWNER, callback_id: str = DIRECT_IMAGE
) -> Payload:
    """A message shortcut, on a message with this in it."""
    return {
        "type": "message_action",
        "callback_id": callback_id,
        "team": {"id": "T1"},
        "user": {"id": user, "team_id": "T1"},
        "channel": {"id": CHANNEL},
        "message_ts": "5.5",
        "message": {"type": "message", "user": "U9", "ts": "5.5", **(message or {})},
        "response_url": RESPONSE_URL,
        "trigger_id": trigger(),
    }


def picture(file_id: str = "F9", **changes: Any) -> Payload:
    """Slack's file object of a PNG."""
    file = {"id": file_id, "name": f"{file_id}.png", "mimetype": "image/png", "filetype": "png"}
    return {**file, "size": 2_000, "mode": "hosted", "is_external": False, **changes}


def click(action_id: str, value: str, *, user: str = OWNER, thread_ts: str = "1.0") -> Payload:
    container = {"type": "message", "message_ts": "1.5", "channel_id": CHANNEL}
    return {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": user, "team_id": "T1"},
        "container": container | ({"thread_ts": thread_ts} if thread_ts else {}),
        "channel": {"id": CHANNEL},
        "message": {"ts": "1.5"},
        "response_url": RESPONSE_URL,
        "trigger_id": trigger(),
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
    }


def home_click(
    action_id: str, *, value: str = "", selected: str = "", user: str = OWNER, page: str = "0.0"
) -> Payload:
    """A button or a select of the Home tab."""
    action: Payload = {"type": "button", "action_id": action_id, "block_id": "b", "value": value}
    if selected:
        chosen = {"text": {"type": "plain_text", "text": selected}, "value": selected}
        action |= {"type": "static_select", "selected_option": chosen}
    return {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": user, "team_id": "T1"},
        "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "type": "home", "private_metadata": page, "state": {"values": {}}},
        "trigger_id": trigger(),
        "actions": [action],
    }


def submission(
    callback_id: str, metadata: str, text: str | None, user: str = OWNER, **chosen: str
) -> Payload:
    """`chosen`: the values of its selects, by block."""
    field = {"type": "plain_text_input", "value": text}
    selects = {
        block: {block: {"type": "static_select", "selected_option": {"value": value}}}
        for block, value in chosen.items()
    }
    return {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": user, "team_id": "T1"},
        "trigger_id": trigger(),
        "view": {
            "id": f"V{next(_numbers)}",
            "type": "modal",
            "callback_id": callback_id,
            "private_metadata": metadata,
            "state": {"values": {PROMPT_BLOCK: {PROMPT_INPUT: field}, **selects}},
        },
    }


def interaction(payload: Payload) -> Payload:
    return {"payload": json.dumps(payload)}
