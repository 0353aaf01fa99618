"""The pictures of a message, as Slack's payloads describe them.

    files                            the message's own
    attachments[].files, attachments[].message_blocks[].message.files
                                     those of a message that it forwards (`is_share`)
    blocks, attachments[].blocks, attachments[].message_blocks[].message.blocks
                                     image blocks, such as those of a draft

A file object may be a stub (`file_access: check_file_info`, in channels that are shared with
another organisation): `files.info` has the rest. Of a file that is gone only its `mode` is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.domain.images import check_picture, declared_pixels, told_size, told_type
from bot.domain.invisible import clean_text
from bot.domain.refusals import Reason, Refusal
from bot.views.source_pictures import Picture

Payload = dict[str, Any]

_MODES = {
    "external": Reason.IMAGE_ELSEWHERE,
    "tombstone": Reason.IMAGE_DELETED,
    "hidden_by_limit": Reason.IMAGE_DELETED,
}
_WRITTEN_IN_SLACK = {"snippet", "post", "space", "canvas", "quip", "docs", "email", "list"}
"""Modes of what people write in Slack itself."""
_ACCESS = dict.fromkeys(("file_not_found", "file_deleted"), Reason.IMAGE_DELETED)
"""By `file_access`; any other but `visible` means that the bot may not look."""
_VISIBLE, STUB = "visible", "check_file_info"
_FILE_ID = re.compile(r"/files[a-z-]*/[A-Z0-9]+-(F[A-Z0-9]+)/")
"""In the address of a file in Slack."""
_FILE_LINK = re.compile(r"https?://[\w.-]{1,253}\.slack\.com/files[a-z-]{0,20}/", re.IGNORECASE)
_DEEPEST = 3
"""A forwarded message may hold another one."""


@dataclass(frozen=True)
class FoundPictures:
    """`pictures` can be edited, as far as is known yet; `refusal` says why the first of the other
    pictures cannot be. `others`: there are files that are no pictures."""

    pictures: tuple[Picture, ...] = ()
    refusal: Refusal | None = None
    others: bool = False

    @property
    def any(self) -> bool:
        return bool(self.pictures or self.refusal or self.others)


def check_links(text: str) -> None:
    """Raises `Refusal` for the link of a file in Slack: the bot may be allowed to see files that
    the person who pastes the link may not."""
    if _FILE_LINK.search(text):
        raise Refusal(Reason.IMAGE_LINKED)


def files_of(message: Payload) -> list[Payload]:
    """Slack's file objects in a message, each once. One for an image block has an id alone; one for
    an image that is not in Slack is external."""
    known: dict[str, Payload] = {}
    for file in _files(message, _DEEPEST):
        file_id = str(file.get("id") or "")
        known.setdefault(file_id or f"{len(known)} without an id", file)
    return list(known.values())


def is_stub(file: Payload) -> bool:
    return file.get("file_access") == STUB


def pictures_among(files: Iterable[Payload]) -> FoundPictures:
    """The pictures among Slack's file objects."""
    pictures: list[Picture] = []
    refusals: list[Refusal] = []
    others = False
    for file in files:
        try:
            if picture := _picture(file):
                pictures.append(picture)
            else:
                others = True
        except Refusal as refusal:
            refusals.append(refusal)
    return FoundPictures(tuple(pictures), next(iter(refusals), None), others)


def _picture(file: Payload) -> Picture | None:
    """The picture, or None for another file. Raises `Refusal` for one that cannot be edited. A
    file of which nobody knows the type yet counts as a picture: the worker finds out."""
    mime_type, mode = told_type(file), file.get("mode")
    if (mime_type and not mime_type.startswith("image/")) or mode in _WRITTEN_IN_SLACK:
        return None
    if reason := _out_of_reach(file):
        raise Refusal(reason)
    if not file.get("id"):
        raise Refusal(Reason.IMAGE_NOT_SHARED)
    size = told_size(file)
    if mime_type:
        check_picture(mime_type, size, declared_pixels(file))
    return Picture(str(file["id"]), mime_type, size, clean_text(_text(file.get("name"))))


def _out_of_reach(file: Payload) -> Reason | None:
    """Why the bot cannot have the file's bytes."""
    if file.get("is_external"):
        return Reason.IMAGE_ELSEWHERE
    if file.get("deleted"):
        return Reason.IMAGE_DELETED
    if reason := _MODES.get(_text(file.get("mode"))):
        return reason
    access = _text(file.get("file_access")) or _VISIBLE
    return None if access in (_VISIBLE, STUB) else _ACCESS.get(access, Reason.IMAGE_NOT_SHARED)


def _files(message: Payload, depth: int) -> Iterator[Payload]:
    """The files; fully described ones come before files that a block only names."""
    yield from _dicts(message.get("files"))
    shared = [each for each in _dicts(message.get("attachments")) if depth]
    for attachment in shared:
        yield from _files({**attachment, "blocks": None}, depth - 1)
        for quoted in _quoted(attachment):
            yield from _dicts(quoted.get("files"))
    yield from _shown(message.get("blocks"))
    for attachment in shared:
        yield from _shown(attachment.get("blocks"))
        for quoted in _quoted(attachment):
            yield from _shown(quoted.get("blocks"))
        if attachment.get("is_share") and attachment.get("image_url"):
            yield {"is_external": True}


def _quoted(attachment: Payload) -> list[Payload]:
    return [_dict(each.get("message")) for each in _dicts(attachment.get("message_blocks"))]


def _shown(blocks: object) -> Iterator[Payload]:
    """The images in image blocks; Slack does not say their type."""
    for block in _dicts(blocks):
        if block.get("type") != "image":
            continue
        file = _dict(block.get("slack_file"))
        named = _FILE_ID.search(_text(file.get("url")) or _text(block.get("image_url")))
        if file_id := _text(file.get("id")) or (named[1] if named else ""):
            yield {"id": file_id}
        elif block.get("image_url"):
            yield {"is_external": True}


def _dicts(value: object) -> list[Payload]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _dict(value: object) -> Payload:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
