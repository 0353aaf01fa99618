"""The pictures of a message, as Slack's payloads describe them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import Reason, Refusal
from bot.domain.images import check_picture, told_pixels
from bot.views.source_pictures import Picture

Payload = dict[str, Any]

_ELSEWHERE = {"external", "tombstone", "hidden_by_limit"}
_TYPES = {
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
"""By file type: for a second or two after its upload, a file has no MIME type."""


@dataclass(frozen=True)
class FoundPictures:
    """`pictures` can be edited; `refusal` says why the first of the other pictures cannot be.
    `others`: there are files that are no pictures."""

    pictures: tuple[Picture, ...] = ()
    refusal: Refusal | None = None
    others: bool = False


def pictures_of(message: Payload) -> FoundPictures:
    """The pictures attached to a message or to what it forwards, and those in its blocks."""
    forwarded = [file for each in message.get("attachments") or [] for file in _files(each)]
    found = pictures_among([*_files(message), *forwarded])
    known = {picture.file_id for picture in found.pictures}
    shown = tuple(p for p in _shown(message.get("blocks") or []) if p.file_id not in known)
    return FoundPictures(found.pictures + shown, found.refusal, found.others)


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
    """None for a file that is no picture. Raises `Refusal` for a picture that cannot be edited."""
    if _out_of_reach(file):
        raise Refusal(Reason.IMAGE_NOT_SHARED)
    mime_type = file.get("mimetype") or _TYPES.get(file.get("filetype") or "", "")
    if not mime_type.startswith("image/"):
        return None
    size = int(file.get("size") or 0)
    check_picture(mime_type, size, told_pixels(file))
    return Picture(file["id"], mime_type, size, file.get("name") or "")


def _out_of_reach(file: Payload) -> bool:
    """Kept outside of Slack, deleted, or shared where the bot may not look."""
    elsewhere = file.get("is_external") or file.get("mode") in _ELSEWHERE
    return bool(elsewhere) or file.get("file_access", "visible") != "visible"


def _files(message: Payload) -> list[Payload]:
    return message.get("files") or []


def _shown(blocks: list[Payload]) -> list[Picture]:
    """The pictures in image blocks, such as those of a draft; Slack does not say their type."""
    images = [block.get("slack_file") or {} for block in blocks if block.get("type") == "image"]
    return [Picture(image["id"]) for image in images if image.get("id")]
