"""Finding messages fast: by the marker of their first block, by words in them, by their reader."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from bot.sandbox import Message

WORD = re.compile(r"kwx[0-9a-f]{4}\d{4}")
ASKED = re.compile(WORD.pattern + r"q\d+")
"""What a person typed at one go: the word, and which try."""
_MARKER = re.compile(r"^(root|draft|preview|failure|final)-(.+)-(\d+)(?:_\d)?$")


def marker_of(message: Message) -> tuple[str, str, int] | None:
    """Kind, session id and number, from the message as it was posted."""
    blocks = message.original.blocks
    found = _MARKER.match(str(blocks[0].get("block_id", ""))) if blocks else None
    return (found[1], found[2], int(found[3])) if found else None


class MessageIndex:
    """An index of the workspace's log, which only grows."""

    def __init__(self, log: list[Message]) -> None:
        self._log = log
        self._seen = 0
        self._marked: dict[str, list[tuple[str, int, Message]]] = defaultdict(list)
        self._roots: dict[str, list[Message]] = defaultdict(list)
        self._private: dict[str, list[Message]] = defaultdict(list)

    def roots(self, words: str) -> list[Message]:
        """The root messages in which these words were posted."""
        self._look()
        return [m for m in self._roots[words] if not m.deleted]

    def marked(self, session_id: str) -> Iterable[tuple[str, int, Message]]:
        """A session's messages that are there, as kind, number and message."""
        self._look()
        return [each for each in self._marked[session_id] if not each[2].deleted]

    def told(self, user: str, since: float) -> list[Message]:
        """What only this person was told after a time (seconds since the epoch)."""
        self._look()
        return [m for m in self._private[user] if float(m.ts) >= since]

    def _look(self) -> None:
        while self._seen < len(self._log):
            message = self._log[self._seen]
            self._seen += 1
            if message.ephemeral_to:
                self._private[message.ephemeral_to].append(message)
            elif marker := marker_of(message):
                kind, session_id, number = marker
                self._marked[session_id].append((kind, number, message))
                if kind == "root":
                    for words in set(ASKED.findall(message.original.text)):
                        self._roots[words].append(message)
