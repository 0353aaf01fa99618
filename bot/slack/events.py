"""Events whose listeners ack them. Bolt by itself acks an event before its listener runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_bolt.response import BoltResponse

from bot.concurrency import BackgroundTasks

Listener = Callable[[AsyncArgs], Awaitable[None]]

SUBSCRIBED = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "channel_archive",
        "channel_deleted",
        "channel_left",
        "group_archive",
        "group_deleted",
        "group_left",
        "member_left_channel",
        "message.im",
        "tokens_revoked",
    }
)
"""The events that the app subscribes to, as `manifest.json` has them."""


def on_event(app: AsyncApp, name: str, listener: Listener, tasks: BackgroundTasks) -> None:
    """Register a listener that acks once what the event asks for is stored: Slack delivers an event
    again that was not acked. The listener runs in a middleware, because Bolt runs those before its
    own ack, and goes on in the background after it acked."""

    async def run(args: AsyncArgs) -> BoltResponse | None:
        ack = args.ack = _Ack()
        tasks.spawn(_run_listener(listener, args, ack))
        await ack.done.wait()
        return ack.response

    app.event(name, middleware=[run])(_never_reached)


class _Ack(AsyncAck):
    """`done` is set once the ack was given, or the listener ended without it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.done = asyncio.Event()

    async def __call__(self, *args: Any, **kwargs: Any) -> BoltResponse:
        response = await super().__call__(*args, **kwargs)
        self.done.set()
        return response


async def _run_listener(listener: Listener, args: AsyncArgs, ack: _Ack) -> None:
    try:
        await listener(args)
    finally:
        ack.done.set()


async def _never_reached() -> None:
    """Bolt would call this after its own ack."""
