"""The stream of changes for the pages, and the wire: a log of the traffic with the bot."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.server import SimulatedSlack
from bot.sandbox.workspace.changes import Change

_ON_THE_WIRE = ("ack", "api_call", "sockets", "violation", "note")
_MOST_ENTRIES = 400
_LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class FeedItem:
    """One change, and the line that it adds to the wire, if any."""

    change: Change
    entry: dict[str, Any] | None


Queue = asyncio.Queue[FeedItem | None]


class Feed:
    """Follows a workspace for any number of pages, which need not be there from the start."""

    def __init__(self, slack: SimulatedSlack) -> None:
        self._slack = slack
        self._changes = slack.subscribe()
        self._queues: set[Queue] = set()
        self._seen = 0
        self.wire: deque[dict[str, Any]] = deque(maxlen=_MOST_ENTRIES)
        self.bot_seen = False
        """Whether the bot has been connected."""

    def note(self, kind: str, text: str, **details: Any) -> None:
        """Add a line from elsewhere to the wire: a `job`, a `stage`, a `log` line of the bot."""
        self._slack.workspace.changes.emit("note", kind=kind, text=text, details=details)

    async def run(self) -> None:
        """Until the workspace stops."""
        async for change in self._changes:
            self.bot_seen |= change["type"] == "sockets" and change["count"] > 0
            entry = self._entry(change)
            if entry is not None:
                self.wire.append(entry)
            for queue in self._queues:
                queue.put_nowait(FeedItem(change, entry))
        for queue in self._queues:
            queue.put_nowait(None)

    @contextlib.contextmanager
    def listening(self) -> Iterator[Queue]:
        """Changes from now on; None when the workspace has stopped."""
        queue: Queue = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def _entry(self, change: Change) -> dict[str, Any] | None:
        if change["type"] not in _ON_THE_WIRE:
            return None
        self._seen += 1
        return {"seq": self._seen, **_shortened(change)}


def _shortened(node: Any) -> Any:
    """A copy in which long texts are cut."""
    if isinstance(node, dict):
        return {key: _shortened(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_shortened(value) for value in node]
    if isinstance(node, str) and len(node) > _LONGEST_TEXT:
        return f"{node[:_LONGEST_TEXT]}… ({len(node):,} characters)"
    return node
