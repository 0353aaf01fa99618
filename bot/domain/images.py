"""Images: the pictures that people may bring, the request to a provider, the image that comes
back, and its marks as made by AI, in words for people and in metadata for machines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from unicodedata import category

from bot.domain.costs import Usage
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.sizes import size_like

ACCEPTED = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/heic", "image/avif")
"""MIME types; of a moving picture the first frame counts."""
_TYPE_NAMES = {
    "png": "image/png",
    "apng": "image/png",
    "x-png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpe": "image/jpeg",
    "jfif": "image/jpeg",
    "pjpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heic",
    "hif": "image/heic",
    "heic-sequence": "image/heic",
    "heif-sequence": "image/heic",
    "avif": "image/avif",
    "avif-sequence": "image/avif",
}
"""By file type, by the end of a file's name, and by the other names of MIME types."""
_ANY_BYTES = {"application/octet-stream", "binary/octet-stream"}
_MAY_BE_UNKNOWN = {"image/heic", "image/avif"}
MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""Width × height, of any picture that is decoded."""
MAX_PIXELS_OF = {"image/webp": 25_000_000, "image/avif": 36_000_000}
"""By MIME type, where the library takes more memory for each pixel."""

AI_LABEL = "AI-generated"
"""The default; the operator may set other words."""
LONGEST_LABEL = 80
_SHOWS_NOTHING = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that show nothing."""

XMP_KEYWORD = "XML:com.adobe.xmp"
"""The `iTXt` chunk of a PNG that holds XMP."""
_PROPERTY = re.compile(rb":DigitalSourceType\s*[=>]")
_SOURCE_TYPE = re.compile(rb"digitalsourcetype/(\w{1,80})")
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE = f"{_SOURCE_TYPES}trainedAlgorithmicMedia"
EDITED = f"{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
"""IPTC's `DigitalSourceType`: made by a model, or by a model from what a person brought."""

_DESCRIPTION = (
    '<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    "<Iptc4xmpExt:DigitalSourceType>{}</Iptc4xmpExt:DigitalSourceType></rdf:Description>"
)
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{}</rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>'
)
_RDF_END = "</rdf:RDF>"


@dataclass(frozen=True)
class GeneratedImage:
    """One finished image. `data` is PNG, JPEG or GIF, as `mime_type` says.

    `width` and `height` are pixels. `response_id` is the provider's id of the answer that holds
    the image, `revised_prompt` the provider's own wording of the prompt, `model` the name of the
    model that made it; all three may be empty. `usage` is what the provider charges for, None where
    it did not tell.
    """

    data: bytes
    mime_type: str
    width: int
    height: int
    response_id: str = ""
    revised_prompt: str = ""
    model: str = ""
    usage: Usage | None = None

    @cached_property
    def sha256(self) -> str:
        """The hash of its bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class BaseImage:
    """An image to be edited. `response_id` is the provider's id of the answer that it came in,
    empty where the provider does not know it; `data` is empty where our own copy has expired. At
    least one of the two is set. `width` and `height` are pixels, 0 where they are unknown."""

    data: bytes = b""
    mime_type: str = ""
    response_id: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class ImageRequest:
    """The request for one candidate of an attempt.

    With a `base`, `change` says what should be different about it, and `changes` what was asked for
    on the way to it, oldest first; `prompt` is then what the first image was made from, empty for a
    picture that a person brought. `from_picture`: the chain of edits began with such a picture.
    `avoid` holds the provider's own wordings of images that were turned down before. `response_id`
    is the provider's id from an earlier run of the same candidate, empty for none: the backend goes
    on from it and does not pay again. `end_user` is a stable hash (at most 128 characters) that
    stands for the person towards the provider; `request_id` is our own name for the request, by
    which both sides' records can be matched.
    """

    prompt: str
    attempt: int = 1
    candidate: int = 1
    options: Options = NO_OPTIONS
    base: BaseImage | None = None
    change: str = ""
    changes: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    from_picture: bool = False
    response_id: str = ""
    end_user: str = ""
    request_id: str = ""


def size_of_request(request: ImageRequest, usual: str) -> str:
    """The size of a request without a chosen one: that of the image to edit, else the `usual`
    one."""
    base = request.base
    if base is None or not (base.width and base.height):
        return usual
    return size_like(base.width, base.height, usual)


def check_picture(mime_type: str, size: int, pixels: int = 0) -> None:
    """Raises `Refusal` with `IMAGE_TYPE`, `IMAGE_TOO_LARGE` or `IMAGE_TOO_MANY_PIXELS`. `size` is
    in bytes; `pixels` is width × height, 0 where it is unknown."""
    if mime_type not in ACCEPTED:
        raise Refusal(Reason.IMAGE_TYPE)
    if size > MAX_BYTES:
        raise Refusal(Reason.IMAGE_TOO_LARGE)
    if pixels > most_pixels(mime_type):
        raise Refusal(Reason.IMAGE_TOO_MANY_PIXELS)


def most_pixels(mime_type: str) -> int:
    """Width × height that a picture of this type may have."""
    return MAX_PIXELS_OF.get(mime_type, MAX_PIXELS)


def told_type(file: Mapping[str, object]) -> str:
    """The MIME type as Slack's file object tells it, a picture's under its usual name; empty where
    it tells none. For a second or two after an upload Slack knows no type, and it may not know
    HEIC and AVIF at all: the file's name tells it then."""
    mime_type = _word(file.get("mimetype"))
    kind, _, name = mime_type.partition("/")
    if kind == "image":
        return _TYPE_NAMES.get(name, mime_type)
    if mime_type not in {"", *_ANY_BYTES}:
        return mime_type
    ending = _word(file.get("name")).rpartition(".")[2]
    by_name = _TYPE_NAMES.get(_word(file.get("filetype"))) or _TYPE_NAMES.get(ending, "")
    is_likely = not mime_type or by_name in _MAY_BE_UNKNOWN
    return by_name if by_name and is_likely else mime_type


def told_size(file: Mapping[str, object]) -> int:
    """Bytes as Slack's file object tells them, 0 where it does not."""
    size = file.get("size")
    return size if isinstance(size, int) else 0


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def declared_pixels(file: Mapping[str, object]) -> int:
    """Width × height from Slack's file object, 0 where it has none. The file itself may differ."""
    match file:
        case {"original_w": int(width), "original_h": int(height)} if width > 0 < height:
            return width * height
    return 0


def xmp_of(*, from_picture: bool, existing: bytes = b"") -> str:
    """The XMP packet for an image of ours. XMP that the image already had is kept, unless it
    names a source type that does not fit, such as a camera's."""
    kept = existing.decode("utf-8", "replace").strip("\0").strip()
    described = _DESCRIPTION.format(EDITED if from_picture else MADE)
    tells = _PROPERTY.search(existing) is not None
    if tells and _is_fit(existing, from_picture):
        return kept
    if not tells and kept.count(_RDF_END) == 1:
        return kept.replace(_RDF_END, described + _RDF_END)
    return _PACKET.format(described)


def _is_fit(xmp: bytes, from_picture: bool) -> bool:
    """Whether all source types in it say that the image is made by AI, and also from a person's
    picture where it is."""
    told = {f"{_SOURCE_TYPES}{value.decode()}" for value in _SOURCE_TYPE.findall(xmp)}
    return bool(told) and told <= ({EDITED} if from_picture else {MADE, EDITED})


def check_label(label: str) -> str:
    """The words that mark an image as made by AI, without blanks around them. Raises
    `ValueError`."""
    label = label.strip()
    if not any(category(mark)[0] in "LNSP" for mark in label if mark not in _SHOWS_NOTHING):
        raise ValueError(f"must say that an image is made by AI, such as {AI_LABEL}")
    if {category(mark) for mark in label} & {"Cc", "Cs", "Zl", "Zp"}:
        raise ValueError("must be one line of text")
    if len(label) > LONGEST_LABEL:
        raise ValueError(f"must have at most {LONGEST_LABEL} characters")
    return label
