"""Signed HTTP requests to a real Bolt app."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.sandbox import SimulatedSlack
from tests.unit.sandbox.bots import serve_http

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


async def test_wrong_signature_is_refused(slack: SimulatedSlack, app: AsyncApp) -> None:
    runner = await serve_http(slack, app)
    assert slack.delivery.http is not None
    slack.delivery.http._secret = "wrong"
    ack = await slack.slash("alice", "general", "/imagine", "x")
    assert (ack.status, ack.error) == (401, "dispatch_failed")
    await runner.cleanup()
