"""Events about the bot's own direct messages.

Slack sends the bot a `message` event when its own message in a direct conversation is posted,
edited or deleted. A bot that takes such an event for a person's message answers itself.
"""

import asyncio
from typing import Any

from bot.sandbox.delivery import payloads
from bot.sandbox.delivery.delivery import SECONDS_TO_ACK, Delivery
from bot.sandbox.workspace.changes import Change
from bot.sandbox.workspace.messages import Message
from bot.sandbox.workspace.workspace import Workspace

Payload = dict[str, Any]
_KINDS = ("message", "message_changed", "message_deleted")


class Echoes:
    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        self._spawn(self._follow())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self) -> None:
        async for change in self._workspace.changes.subscribe():
            message = self._own(change) if change["type"] in _KINDS else None
            if message is not None:
                event = payloads.event(self._workspace, _echo(change["type"], message))
                self._spawn(self._delivery.event(event, SECONDS_TO_ACK, quiet=True))

    def _own(self, change: Change) -> Message | None:
        """The changed message, when the bot posted it in a direct conversation; otherwise None."""
        told, workspace = change["message"], self._workspace
        channel = workspace.channels.get(told["channel"])
        if channel is None or not channel.is_im or told["user"] != workspace.app.bot_user:
            return None
        place = (told["channel"], told["ts"])
        return next((m for m in workspace.log if (m.channel, m.ts) == place), None)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _echo(kind: str, message: Message) -> Payload:
    ts = f"{message.history[-1].at:.6f}"
    where = {"channel": message.channel, "channel_type": "im", "event_ts": ts}
    if kind == "message":
        return {**message.payload(), **where}
    hidden: Payload = {"type": "message", "subtype": kind, "hidden": True, "ts": ts, **where}
    if kind == "message_deleted":
        return {**hidden, "deleted_ts": message.ts, "previous_message": message.payload()}
    before: Payload = {**message.payload(), "text": message.history[-2].text}
    return {**hidden, "message": message.payload(), "previous_message": before}
