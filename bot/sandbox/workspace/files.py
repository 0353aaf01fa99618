"""Uploaded files: when they are ready, and their real format and size."""

import io
import itertools
import struct
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from bot.sandbox.workspace.clock import Clock

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
MIMETYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
}
_PRETTY = {
    "png": "PNG",
    "jpg": "JPEG",
    "gif": "GIF",
    "webp": "WebP",
    "heic": "HEIC",
    "binary": "Binary",
}
_HEIC_BRANDS = (b"heic", b"heix", b"mif1")
_LEFT_OF = {"tombstone", "hidden_by_limit"}
"""Modes of files of which nothing but the id is told."""
SHOWABLE = ("png", "jpg", "gif")


def sniff(data: bytes) -> str:
    """The format that the bytes are in, whatever the file's name says; "binary" if no image."""
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "heic"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "binary"


def dimensions(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of an image; (0, 0) when unknown."""
    kind = sniff(data)
    if kind == "png" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if kind == "gif" and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return int(width), int(height)
    return _size_in_header(data) if kind in ("jpg", "webp") else (0, 0)


def _size_in_header(data: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "WEBP")) as image:
            return image.size
    except (OSError, ValueError, SyntaxError):
        return 0, 0


@dataclass
class File:
    """`ready_at` is None until the upload is completed; `channels` are where it is shared. `told`
    is what Slack tells otherwise than it would of such bytes, such as another `mode`; with
    `is_stub`, messages tell only that `files.info` has the rest."""

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
    told: dict[str, Any] = field(default_factory=dict)
    is_stub: bool = False

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
            "timestamp": int(self.created),
            "name": self.name,
            "title": self.title or self.name,
            "user": self.user,
            "user_team": team,
            "editable": False,
            "size": self.length,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": any(place.startswith("C") for place in self.channels),
            "display_as_bot": False,
            "channels": [place for place in self.channels if place.startswith("C")],
            "ims": [place for place in self.channels if place.startswith("D")],
            "url_private": address,
            "url_private_download": f"{base_url}/files/{team}-{self.id}/download/{self.name}",
            "permalink": f"{base_url}/files/{self.user}/{self.id}/{self.name}",
            "file_access": "visible",
        }
        if self.ready(now):
            kind = sniff(self.data or b"")
            width, height = dimensions(self.data or b"")
            found |= {
                "filetype": kind,
                "pretty_type": _PRETTY[kind],
                "mimetype": MIMETYPES.get(kind, "application/octet-stream"),
            }
            found |= {"original_w": width, "original_h": height} if width else {}
        found |= self.told
        return {"id": self.id, "mode": found["mode"]} if found["mode"] in _LEFT_OF else found


class Files:
    """All files by id. Bytes get ready `ready_after` seconds after their upload is completed;
    `base_url` and `team` are what their addresses are made of."""

    def __init__(self, clock: Clock, ready_after: float, team: str = "") -> None:
        self.clock = clock
        self.team = team
        self.base_url = ""
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

    def describe(self, file_id: str) -> dict[str, Any]:
        """The file object that `files.info` answers; of a deleted file only that there was one."""
        file = self.get(file_id)
        if file is None:
            return {"id": file_id, "mode": "tombstone"}
        return file.payload(self.base_url, self.team, self.clock.now())

    def in_message(self, file_id: str) -> dict[str, Any]:
        """The file object in a message. In a channel that is shared with another organisation it
        is a stub."""
        file = self.get(file_id)
        if file is not None and file.is_stub:
            return {"id": file_id, "created": 0, "timestamp": 0, "file_access": "check_file_info"}
        return self.describe(file_id)

    def restore(self, files: list[File]) -> None:
        """Start with the files of an earlier run."""
        self._by_id = {file.id: file for file in files}
        self._numbers = itertools.count(len(files) + 1)

    def all(self) -> list[File]:
        return list(self._by_id.values())
