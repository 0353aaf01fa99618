"""How a listener runs: Slack is answered at its ack, and the listener goes on in the background.

Each runs in a listener middleware. Bolt by itself acks an event before its listener runs, though
Slack delivers again what was not acked; and it looks only every 10 ms whether another listener has
acked, which takes a twentieth of the CPU of a hundred commands at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from slack_bolt.async_app import AsyncAck
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_bolt.response import BoltResponse

from bot.concurrency import BackgroundTasks

Listener = Callable[[AsyncArgs], Awaitable[None]]
Middleware = Callable[[AsyncArgs], Awaitable[BoltResponse | None]]


class Registration(Protocol):
    """A method of Bolt's app that registers listeners, such as `app.action`."""

    def __call__(
        self, constraint: Any, /, *, middleware: list[Middleware]
    ) -> Callable[..., Any]: ...


def listen(
    tasks: BackgroundTasks,
    registration: Registration,
    constraint: Any,
    listener: Listener,
) -> None:
    """Register a listener that acks once what is asked for is stored, and may go on then. The
    `constraint` is what Bolt matches requests by."""

    async def run(args: AsyncArgs) -> BoltResponse | None:
        ack = args.ack = _Ack()
        tasks.spawn(_run_listener(listener, args, ack))
        await ack.done.wait()
        return ack.response

    registration(constraint, middleware=[run])(_never_reached)


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
    """Bolt would call this after the middleware."""
