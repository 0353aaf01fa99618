"""What says that an image is made by AI: to people in words, to machines in its metadata."""

from __future__ import annotations

import re

AI_LABEL = "AI-generated"
"""The words, unless the operator has others."""
LONGEST_LABEL = 80
LONGEST_MODEL = 80

XMP_KEYWORD = "XML:com.adobe.xmp"
"""The `iTXt` chunk of a PNG that holds XMP."""
_PROPERTY = re.compile(rb":DigitalSourceType\s*[=>]")
_VALUE = re.compile(rb"digitalsourcetype/(\w{1,80})")
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
_END = "</rdf:RDF>"


def xmp_of(*, from_picture: bool, existing: bytes = b"") -> str:
    """The XMP packet for an image of ours. What the image already had is kept, unless that tells a
    source type that does not fit, such as a camera's."""
    kept = existing.decode("utf-8", "replace").strip("\0").strip()
    described = _DESCRIPTION.format(EDITED if from_picture else MADE)
    tells = _PROPERTY.search(existing) is not None
    if tells and _is_fit(existing, from_picture):
        return kept
    if not tells and kept.count(_END) == 1:
        return kept.replace(_END, described + _END)
    return _PACKET.format(described)


def _is_fit(xmp: bytes, from_picture: bool) -> bool:
    """Whether all source types in it say that the image is made by AI, and also from a person's
    picture where it is."""
    told = {f"{_SOURCE_TYPES}{value.decode()}" for value in _VALUE.findall(xmp)}
    return bool(told) and told <= ({EDITED} if from_picture else {MADE, EDITED})


def model_name(text: str) -> str:
    """A model's name as it can be shown: one line, and not a long one."""
    shown = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(shown.split())[:LONGEST_MODEL]
