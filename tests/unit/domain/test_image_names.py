"""Which image a change names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.image_names import LOOKED_AT, Change, read_change
from tests.fakes import a_session, an_attempt

MADE = tuple(an_attempt(n, posted=True, images=images) for n, images in ((1, 3), (2, 1), (3, 3)))
SESSION = replace(a_session(attempts=3), attempts=MADE)
ONE = a_session(attempts=2)


@pytest.mark.parametrize(
    ("said", "change", "image"),
    [
        ("make image 2 blue", "make this image blue", ImageRef(3, 2)),
        ("image 2, blue", "blue", ImageRef(3, 2)),
        ("2) blue", "blue", ImageRef(3, 2)),
        ("the last one in blue", "in blue", ImageRef(3, 3)),
        ("paint the 3rd picture blue", "paint this image blue", ImageRef(3, 3)),
        ("version two in blue", "in blue", ImageRef(3, 2)),
        ("attempt 1 image 2 blue", "blue", ImageRef(1, 2)),
        ("blue, as in attempt 2", "blue, as in this image", ImageRef(2)),
        ("#1\nblue", "blue", ImageRef(3)),
        ("img 2 with a hat", "with a hat", ImageRef(3, 2)),
        ("make img2 blue", "make this image blue", ImageRef(3, 2)),
        ("2nd with snow", "with snow", ImageRef(3, 2)),
        ("3rd: rain", "rain", ImageRef(3, 3)),
        ("image 2's sky should be red", "this image's sky should be red", ImageRef(3, 2)),
        ("image 2 with “No. 1” on the door", "with “No. 1” on the door", ImageRef(3, 2)),
    ],
)
def test_one_image_is_named(said: str, change: str, image: ImageRef) -> None:
    assert read_change(said, SESSION, SESSION.latest) == Change(change, (image,))


@pytest.mark.parametrize(
    "said",
    [
        *("make it blue", "2 cats", "make 2 blue", "the second cat", "a photo of one cat"),
        *("one of the cats", "1.5 times larger", "in the year 2000", "put the number 2 on it"),
        *("a #hashtag", "room number", "first, make it blue", f"{'a' * LOOKED_AT} image 2"),
        *('write "No. 1" on it', "a sign that says “image 2”", "paint number 2 on the door"),
        *("the last but one in blue", "last but not least, a hat", "second, make it blue"),
        *("2nd and 3rd, warmer", "image 1 with the hat of image 2", "--n 2"),
    ],
)
def test_none_is_named(said: str) -> None:
    assert read_change(said, SESSION, SESSION.latest) == Change(said)


@pytest.mark.parametrize(
    "said", ["image 4", "image 2 of attempt 9", "attempt 8 in blue", "#0 blue", "the fifth one"]
)
def test_there_is_no_such_image(said: str) -> None:
    assert read_change(said, SESSION, SESSION.latest).unknown


@pytest.mark.parametrize("said", ["images 1 and 3 blue", "number 1, 3 blue", "first and third one"])
def test_several_are_named(said: str) -> None:
    images = (ImageRef(3), ImageRef(3, 3))
    assert read_change(said, SESSION, SESSION.latest) == Change(said, images)


def test_an_image_that_did_not_come_is_none() -> None:
    lost = replace(SESSION.latest.candidate(2), failure=FailureKind.MODERATION)
    session = replace(SESSION, attempts=(*MADE[:2], MADE[2].with_candidate(lost)))
    assert read_change("make number 2 blue", session, session.latest).unknown


@pytest.mark.parametrize("said", ["make number 2 blue", "#2", "the second one", "image 1 in blue"])
def test_of_one_image_a_number_is_no_name(said: str) -> None:
    assert read_change(said, ONE, ONE.latest) == Change(said)


def test_of_one_image_a_numbered_version_is_asked_about() -> None:
    assert read_change("version 3 in blue", ONE, ONE.latest).unknown
    assert read_change("attempt 1 in blue", ONE, ONE.latest) == Change("in blue", (ImageRef(1),))
