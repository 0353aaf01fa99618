"""The pictures of a message, kept in the metadata of the form that starts a session from one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.attempt import Source
from bot.views.blocks import cut

MOST_PICTURES = 10
NAME_KEPT = 40
METADATA = 3_000
"""Characters that a view's metadata holds."""


class Picture(NamedTuple):
    """A person's picture, as Slack describes it. `size` is in bytes."""

    file_id: str
    mime_type: str = ""
    size: int = 0
    name: str = ""

    @property
    def source(self) -> Source:
        return Source(self.file_id, self.mime_type, self.size)


@dataclass(frozen=True)
class SourcePictures:
    """Pictures and the message that they are in. `thread_ts` is empty outside a thread."""

    channel: str
    thread_ts: str
    message_ts: str
    files: tuple[Picture, ...]

    def to_metadata(self) -> str:
        """As JSON of at most 3,000 characters. Pictures after the tenth are left out, and names are
        cut."""
        kept = [
            picture._replace(name=cut(picture.name, NAME_KEPT))
            for picture in self.files[:MOST_PICTURES]
        ]
        while len(text := self._json(kept)) > METADATA and kept:
            kept.pop()
        return text

    @classmethod
    def from_metadata(cls, text: str) -> SourcePictures | None:
        """The pictures in a form's metadata; None for any other text."""
        if len(text) > METADATA:
            return None
        try:
            channel, thread_ts, message_ts, files = json.loads(text)
            pictures = tuple(Picture(*file) for file in files)
        except (ValueError, TypeError, RecursionError):
            return None
        known = all(isinstance(word, str) for word in (channel, thread_ts, message_ts))
        if not (known and all(map(_well_formed, pictures))):
            return None
        return cls(channel, thread_ts, message_ts, pictures)

    def _json(self, files: list[Picture]) -> str:
        place = [self.channel, self.thread_ts, self.message_ts]
        return json.dumps([*place, files], separators=(",", ":"), ensure_ascii=False)


def _well_formed(picture: Picture) -> bool:
    words = (picture.file_id, picture.mime_type, picture.name)
    return all(isinstance(word, str) for word in words) and isinstance(picture.size, int)
