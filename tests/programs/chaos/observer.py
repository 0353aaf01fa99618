"""What a person gets to see of a session, and for how long they look."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bot.sandbox import Message
from tests.programs.chaos.world import World


class StoppedWaiting(Exception):
    """The person has had enough, or it is closing time."""


@dataclass(frozen=True)
class Outcome:
    """What a person has come to see of an attempt: `draft`, `failure`, `cancelled` or `final`."""

    kind: str
    number: int
    message: Message


class Observer:
    """`session_id` and `root` are known once the root message is seen."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.session_id = ""
        self.root: Message | None = None

    async def _find_root(self, words: str, patience: float, after: str = "0") -> None:
        deadline = time.time() + patience
        while time.time() < deadline:
            roots = [m for m in self.world.message_index.roots(words) if float(m.ts) > float(after)]
            if roots:
                self.root = roots[-1]
                self.session_id = str(self.root.original.blocks[0]["block_id"])[5:-2]
                return
            await self._pause(0.15)
        raise StoppedWaiting

    def _marked(self, kind: str, above: int = 0) -> list[tuple[int, Message]]:
        there = self.world.message_index.marked(self.session_id)
        return [(n, m) for each, n, m in there if each == kind and n > above]

    def _look(self, above: int) -> Outcome | None:
        """The newest of what has come since the attempt of that number."""
        assert self.root is not None
        if finals := self._marked("final"):
            return Outcome("final", *finals[-1])
        live = [(n, m) for n, m in self._marked("draft", above) if has(m, "✅ Approve")]
        if live:
            return Outcome("draft", *live[-1])
        if failures := self._marked("failure", above):
            number, message = failures[-1]
            return Outcome("failure", number, message)
        if "ancelled" in self.root.shown_text and has(self.root, "Try again"):
            return Outcome("cancelled", _attempt_of(self.root), self.root)
        return None

    async def _outcome(self, above: int) -> Outcome:
        while True:
            self._check_time()
            if found := self._look(above):
                return found
            await self._pause(0.15)

    def _check_time(self) -> None:
        if not self.world.open():
            raise StoppedWaiting

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def has(message: Message, label: str) -> bool:
    return not message.deleted and any(label in button for button in message.buttons())


def _attempt_of(message: Message) -> int:
    """The attempt that its buttons are about."""
    values = (str(element.get("value", "")) for _, element in message.elements())
    numbers = [value.partition("#")[2].partition(".")[0] for value in values]
    return max((int(number) for number in numbers if number.isdigit()), default=0)
