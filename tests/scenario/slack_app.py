"""The Slack app with fakes behind it: signed requests in, recorded calls out, no network."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.direction import Direction
from bot.domain.policy import Policy
from bot.domain.session import Session
from bot.slack.bolt import Identity, bolt_app
from bot.slack.listeners import Listeners
from bot.tasks import BackgroundTasks
from bot.views.ids import PROMPT_BLOCK, PROMPT_INPUT
from tests.fakes import (
    CHANNEL,
    ID,
    OWNER,
    FakeJobQueue,
    FakePublisher,
    FakeSessionStore,
    clock,
)

SECRET = "signing-secret"
RESPONSE_URL = "https://hooks.slack.test/1"
_numbers = itertools.count(1)

Payload = dict[str, Any]


class Call(NamedTuple):
    """One call that the app made. On a `response_url` the method is `respond`."""

    method: str
    args: dict[str, Any]


class SlackApp:
    """`fail` holds the error that Slack answers to the next calls of a method."""

    def __init__(self, *sessions: Session, policy: Policy | None = None) -> None:
        self.store = FakeSessionStore(*sessions)
        self.queue = FakeJobQueue()
        self.publisher = FakePublisher()
        self.tasks = BackgroundTasks()
        self.calls: list[Call] = []
        self.fail: dict[str, str] = {}
        client = AsyncWebClient("xoxb-test", base_url="http://slack.invalid/api/")
        self.bolt = bolt_app(client, Identity("T1", "B1", "UBOT", "imagine"), SECRET)
        direction = Direction(self.store, self.queue, policy or Policy(), self.tasks, now=clock())
        Listeners(direction, self.publisher, self.tasks).register(self.bolt)

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]

    def record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Bolt makes a client for each request, so the class is what is replaced."""
        calls, fail = self.calls, self.fail

        async def api_call(_: object, api_method: str, **sent: Any) -> dict[str, Any]:
            calls.append(Call(api_method, sent.get("json") or sent.get("params") or {}))
            if api_method in fail:
                answer = {"ok": False, "error": fail[api_method]}
                raise SlackApiError("no", answer)  # type: ignore[no-untyped-call]
            return {"ok": True}

        async def send_dict(_: object, body: dict[str, Any]) -> None:
            calls.append(Call("respond", body))

        monkeypatch.setattr(AsyncWebClient, "api_call", api_call)
        monkeypatch.setattr(AsyncWebhookClient, "send_dict", send_dict)

    async def send(self, form: Payload) -> BoltResponse:
        """Dispatch one signed request, and let all that it started come to its end."""
        response = await self.bolt.async_dispatch(signed(urlencode(form)))
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        async with asyncio.timeout(5):
            await asyncio.gather(*rest)
        return response

    async def command(self, text: str, **changes: str) -> BoltResponse:
        return await self.send(command(text, **changes))

    async def click(self, action_id: str, value: str, **changes: Any) -> BoltResponse:
        return await self.send(interaction(click(action_id, value, **changes)))

    async def submit(
        self, callback_id: str, metadata: str, text: str | None, user: str = OWNER
    ) -> BoltResponse:
        return await self.send(interaction(submission(callback_id, metadata, text, user)))

    def of(self, method: str) -> list[dict[str, Any]]:
        return [call.args for call in self.calls if call.method == method]


def signed(body: str) -> AsyncBoltRequest:
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body)
    headers: dict[str, str | Sequence[str]] = {
        "content-type": ["application/x-www-form-urlencoded"],
        "x-slack-signature": [signature or ""],
        "x-slack-request-timestamp": [timestamp],
    }
    return AsyncBoltRequest(body=body, headers=headers)


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


def submission(callback_id: str, metadata: str, text: str | None, user: str = OWNER) -> Payload:
    field = {"type": "plain_text_input", "value": text}
    return {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": user, "team_id": "T1"},
        "trigger_id": trigger(),
        "view": {
            "type": "modal",
            "callback_id": callback_id,
            "private_metadata": metadata,
            "state": {"values": {PROMPT_BLOCK: {PROMPT_INPUT: field}}},
        },
    }


def interaction(payload: Payload) -> Payload:
    return {"payload": json.dumps(payload)}
