"""Events, acked by their listeners: Bolt by itself acks them before a listener has run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_bolt.response import BoltResponse

from bot.tasks import BackgroundTasks

Listener = Callable[[AsyncArgs], Awaitable[None]]


def on_event(app: AsyncApp, name: str, listener: Listener, tasks: BackgroundTasks) -> None:
    """Register a listener that acks by itself, once what the event asks for is kept: Slack
    delivers an event again that was not acked. The listener stands as a middleware, which is let
    run before the ack, and goes on after it in the background."""

    async def run(args: AsyncArgs) -> BoltResponse | None:
        ack = args.ack = _Ack()
        tasks.spawn(_to_its_end(listener, args, ack))
        await ack.settled.wait()
        return ack.response

    app.event(name, middleware=[run])(_never_reached)


class _Ack(AsyncAck):
    """`settled`: the ack was given, or will not be."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settled = asyncio.Event()

    async def __call__(self, *args: Any, **kwargs: Any) -> BoltResponse:
        response = await super().__call__(*args, **kwargs)
        self.settled.set()
        return response


async def _to_its_end(listener: Listener, args: AsyncArgs, ack: _Ack) -> None:
    try:
        await listener(args)
    finally:
        ack.settled.set()


async def _never_reached() -> None:
    """What Bolt would call after its own ack."""
