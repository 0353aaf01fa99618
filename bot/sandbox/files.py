"""Uploaded files: when they are ready, and what they really are."""

import itertools
import struct
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.clock import Clock

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
_MIMETYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
SHOWABLE = ("png", "jpg", "gif")


def sniff(data: bytes) -> str:
    """The format that the bytes are in, whatever the file's name says; "binary" if no image."""
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "binary"


def dimensions(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG or GIF; (0, 0) when unknown."""
    kind = sniff(data)
    if kind == "png" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if kind == "gif" and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return int(width), int(height)
    return 0, 0


@dataclass
class File:
    """`ready_at` is None until the upload is completed."""

    id: str
    name: str
    length: int
    user: str
    created: float
    title: str = ""
    alt_txt: str = ""
    data: bytes | None = field(default=None, repr=False)
    ready_at: float | None = None
    deleted: bool = False
    channels: list[str] = field(default_factory=list)

    @property
    def completed(self) -> bool:
        return self.ready_at is not None

    def ready(self, now: float) -> bool:
        return self.ready_at is not None and now >= self.ready_at and not self.deleted

    def showable(self, now: float) -> bool:
        """Whether an image block can name it by now."""
        return self.ready(now) and sniff(self.data or b"") in SHOWABLE

    def payload(self, base_url: str, team: str, now: float) -> dict[str, Any]:
        """Slack's file object: until the file is ready it has no mimetype."""
        address = f"{base_url}/files/{team}-{self.id}/{self.name}"
        found: dict[str, Any] = {
            "id": self.id,
            "created": int(self.created),
            "name": self.name,
            "title": self.title or self.name,
            "user": self.user,
            "size": self.length,
            "mode": "hosted",
            "is_external": False,
            "channels": list(self.channels),
            "url_private": address,
            "url_private_download": address + "?download=1",
            "permalink": address,
        }
        if self.ready(now):
            kind = sniff(self.data or b"")
            width, height = dimensions(self.data or b"")
            found |= {
                "filetype": kind,
                "mimetype": _MIMETYPES.get(kind, "application/octet-stream"),
            }
            found |= {"original_w": width, "original_h": height} if width else {}
        return found


class Files:
    """All files by id. Bytes get ready `ready_after` seconds after their upload is completed."""

    def __init__(self, clock: Clock, ready_after: float) -> None:
        self.clock = clock
        self.ready_after = ready_after
        self._by_id: dict[str, File] = {}
        self._numbers = itertools.count(1)

    def begin(self, name: str, length: int, user: str, alt_txt: str) -> File:
        file_id = f"F0FILE{next(self._numbers):05d}"
        made = File(file_id, name, length, user, self.clock.now(), alt_txt=alt_txt)
        self._by_id[file_id] = made
        return made

    def complete(self, file: File) -> None:
        file.ready_at = self.clock.now() + self.ready_after

    def get(self, file_id: str) -> File | None:
        """A file that hasn't been deleted."""
        file = self._by_id.get(file_id)
        return None if file is None or file.deleted else file

    def showable(self, file_id: str) -> bool:
        file = self.get(file_id)
        return file is not None and file.showable(self.clock.now())

    def restore(self, files: list[File]) -> None:
        """Start with the files of an earlier run."""
        self._by_id = {file.id: file for file in files}
        self._numbers = itertools.count(len(files) + 1)

    def all(self) -> list[File]:
        return list(self._by_id.values())
