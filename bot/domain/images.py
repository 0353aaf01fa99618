"""An image as it travels through the program: what a person may bring, what a provider is asked
for, and what says that an image is made by AI, to people in words and to machines in metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.domain.errors import Reason, Refusal
from bot.domain.options import NO_OPTIONS, Options

ACCEPTED = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""MIME types; of a GIF the first frame counts."""
MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""Width × height, of any picture that is decoded. An animated WebP takes about 25 bytes of memory
for each meanwhile."""

AI_LABEL = "AI-generated"
"""The words, unless the operator has others."""
LONGEST_LABEL = 80

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
    """One finished image. `data` is PNG, JPEG or GIF, whichever `mime_type` says.

    `width` and `height` are pixels. `response_id` is the provider's id of the answer that holds
    the image, `revised_prompt` the provider's own wording of the prompt, `model` the name of the
    model that made it; all three may be empty.
    """

    data: bytes
    mime_type: str
    width: int
    height: int
    response_id: str = ""
    revised_prompt: str = ""
    model: str = ""


@dataclass(frozen=True)
class BaseImage:
    """An image to be edited. `response_id` is the provider's id of the answer that it came in,
    empty where the provider knows it no more or never did; `data` is empty where our own copy
    has expired. One of the two is there."""

    data: bytes = b""
    mime_type: str = ""
    response_id: str = ""


@dataclass(frozen=True)
class ImageRequest:
    """What one candidate of an attempt asks for.

    With a `base`, `change` says what should be different about it, and `changes` what was asked
    for on the way to it, oldest first; `prompt` is then what the first image was made from, empty
    for a picture that a person brought. `from_picture`: all of it goes back to such a picture, at
    whatever distance. `avoid` holds the provider's own wordings of what was
    turned down before. `response_id` is the provider's id from an earlier run of the same
    candidate, if it got as far: the backend goes on from it rather than pay again. `end_user` is
    a stable hash (at most 128 characters) that stands for the person towards the provider;
    `request_id` is our own name for the request, by which both sides' records can be matched.
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


def check_picture(mime_type: str, size: int, pixels: int = 0) -> None:
    """Raises `Refusal` with `IMAGE_TYPE`, `IMAGE_TOO_LARGE` or `IMAGE_TOO_MANY_PIXELS`. `size` is
    in bytes; `pixels` is width × height, 0 where nobody knows."""
    if mime_type not in ACCEPTED:
        raise Refusal(Reason.IMAGE_TYPE)
    if size > MAX_BYTES:
        raise Refusal(Reason.IMAGE_TOO_LARGE)
    if pixels > MAX_PIXELS:
        raise Refusal(Reason.IMAGE_TOO_MANY_PIXELS)


def told_pixels(file: dict[str, object]) -> int:
    """Width × height as Slack's file object tells it, 0 where it does not. The file itself may say
    otherwise."""
    match file:
        case {"original_w": int(width), "original_h": int(height)} if width > 0 < height:
            return width * height
    return 0


def xmp_of(*, from_picture: bool, existing: bytes = b"") -> str:
    """The XMP packet for an image of ours. What the image already had is kept, unless that tells a
    source type that does not fit, such as a camera's."""
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
