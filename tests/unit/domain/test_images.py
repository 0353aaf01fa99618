"""Which pictures are taken, what an image says for machines, and how a model is named."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from bot.domain.images import (
    ACCEPTED,
    EDITED,
    MADE,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_PIXELS_OF,
    check_picture,
    declared_pixels,
    told_size,
    told_type,
    xmp_of,
)
from bot.domain.refusals import Reason, Refusal

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
OTHERS = (
    b'<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/webp"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def source_types(xmp: str) -> list[str | None]:
    root = ET.fromstring(xmp.replace("\ufeff", ""))
    return [each.text for each in root.findall(f"{RDF}RDF/{RDF}Description/{EXT}DigitalSourceType")]


@pytest.mark.parametrize(
    ("from_picture", "value"),
    [
        (False, "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"),
        (
            True,
            "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
        ),
    ],
)
@pytest.mark.parametrize(
    "existing", [b"", OTHERS, b"no xml at all", b"</rdf:RDF></rdf:RDF>", b"\xff"]
)
def test_the_source_type_is_said_once(from_picture: bool, value: str, existing: bytes) -> None:
    assert source_types(xmp_of(from_picture=from_picture, existing=existing)) == [value]
    assert value in {MADE, EDITED}


CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


@pytest.mark.parametrize(
    ("said", "from_picture", "value"),
    [
        (CAPTURE, False, MADE),
        (CAPTURE, True, EDITED),
        (MADE, True, EDITED),
        ("trainedAlgorithmicMedia", False, MADE),
        ("", False, MADE),
    ],
)
@pytest.mark.parametrize("as_attribute", [False, True])
def test_another_source_type_does_not_stand(
    said: str, from_picture: bool, value: str, as_attribute: bool
) -> None:
    existing = xmp_of(from_picture=False, existing=OTHERS).replace(MADE, said)
    if as_attribute:
        tag = "Iptc4xmpExt:DigitalSourceType"
        existing = existing.replace(f"><{tag}>{said}</{tag}></", f' {tag}="{said}"></')
    assert source_types(xmp_of(from_picture=from_picture, existing=existing.encode())) == [value]


def test_words_that_only_name_it_are_no_mark() -> None:
    words = OTHERS.replace(b"image/webp", b"notes on DigitalSourceType")
    xmp = xmp_of(from_picture=False, existing=words)
    assert source_types(xmp) == [MADE]
    assert "notes on" in xmp


def test_what_else_the_image_said_is_kept() -> None:
    assert "image/webp" in xmp_of(from_picture=False, existing=OTHERS)


def test_a_mark_that_is_there_stays_as_it_is() -> None:
    marked = xmp_of(from_picture=True, existing=OTHERS)
    assert xmp_of(from_picture=False, existing=marked.encode()) == marked


@pytest.mark.parametrize("mime_type", ACCEPTED)
def test_pictures_up_to_the_limit_are_taken(mime_type: str) -> None:
    check_picture(mime_type, MAX_BYTES)


@pytest.mark.parametrize(
    "mime_type", ["", "image/svg+xml", "image/tiff", "image/jxl", "video/mp4", "text/html"]
)
def test_what_is_no_such_picture_is_refused(mime_type: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_picture(mime_type, 1)
    assert refused.value.reason is Reason.IMAGE_TYPE


def test_a_picture_that_is_too_large_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        check_picture("image/png", MAX_BYTES + 1)
    assert refused.value.reason is Reason.IMAGE_TOO_LARGE


def test_a_picture_of_too_many_pixels_is_refused() -> None:
    check_picture("image/png", 1, MAX_PIXELS)
    with pytest.raises(Refusal) as refused:
        check_picture("image/png", 1, MAX_PIXELS + 1)
    assert refused.value.reason is Reason.IMAGE_TOO_MANY_PIXELS


@pytest.mark.parametrize(
    ("file", "pixels"),
    [
        ({}, 0),
        ({"original_w": 8000}, 0),
        ({"original_w": 8000, "original_h": 8000}, 64_000_000),
        ({"original_w": "8000", "original_h": None}, 0),
        ({"original_w": -8000, "original_h": -8000}, 0),
        ({"original_w": 0, "original_h": 0}, 0),
    ],
)
def test_pixels_are_what_slack_tells_if_it_does(file: dict[str, object], pixels: int) -> None:
    assert declared_pixels(file) == pixels


@pytest.mark.parametrize(
    ("file", "mime_type"),
    [
        ({"mimetype": "image/png"}, "image/png"),
        ({"mimetype": " Image/JPG "}, "image/jpeg"),
        ({"mimetype": "image/pjpeg"}, "image/jpeg"),
        ({"mimetype": "image/apng"}, "image/png"),
        ({"mimetype": "image/heif-sequence"}, "image/heic"),
        ({"mimetype": "image/avif-sequence"}, "image/avif"),
        ({"mimetype": "image/tiff", "name": "a.png"}, "image/tiff"),
        ({"mimetype": "text/plain", "name": "a.png"}, "text/plain"),
        ({"filetype": "heic"}, "image/heic"),
        ({"filetype": "binary", "name": "IMG_0001.HEIC"}, "image/heic"),
        ({"mimetype": "application/octet-stream", "name": "a.hif"}, "image/heic"),
        ({"mimetype": "application/octet-stream", "name": "a.avif"}, "image/avif"),
        ({"mimetype": "application/octet-stream", "name": "a.png"}, "application/octet-stream"),
        ({"mimetype": "application/octet-stream", "name": "a.bin"}, "application/octet-stream"),
        ({"name": "a.tar.gz"}, ""),
        ({"mimetype": None, "filetype": 7, "name": ["a.png"]}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_a_files_type_is_told_in_many_ways(file: dict[str, object], mime_type: str) -> None:
    assert told_type(file) == mime_type


@pytest.mark.parametrize(("size", "told"), [(7, 7), ("7", 0), (None, 0), ([], 0)])
def test_a_files_size_may_not_be_told(size: object, told: int) -> None:
    assert told_size({"size": size}) == told


def test_some_types_may_have_fewer_pixels() -> None:
    check_picture("image/jpeg", 1, MAX_PIXELS)
    for mime_type, most in MAX_PIXELS_OF.items():
        check_picture(mime_type, 1, most)
        with pytest.raises(Refusal) as refused:
            check_picture(mime_type, 1, most + 1)
        assert refused.value.reason is Reason.IMAGE_TOO_MANY_PIXELS
