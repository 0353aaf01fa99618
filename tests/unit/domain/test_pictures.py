from __future__ import annotations

import pytest

from bot.domain.errors import Reason, Refusal
from bot.domain.pictures import ACCEPTED, MAX_BYTES, MAX_PIXELS, check_picture, told_pixels


@pytest.mark.parametrize("mime_type", ACCEPTED)
def test_pictures_up_to_the_limit_are_taken(mime_type: str) -> None:
    check_picture(mime_type, MAX_BYTES)


@pytest.mark.parametrize("mime_type", ["", "image/svg+xml", "image/heic", "video/mp4", "text/html"])
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
    assert told_pixels(file) == pixels
