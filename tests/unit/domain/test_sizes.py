"""Sizes by name, by ratio and in pixels."""

from __future__ import annotations

import itertools
from fractions import Fraction
from itertools import product

import pytest

from bot.domain.option_table import OPTIONS
from bot.domain.refusals import ImpossibleValue, OptionRefused, Reason
from bot.domain.sizes import NAMED_SIZES, largest_like, parse_ratio, parse_size, size_like

SIZE = OPTIONS["size"]
RATIO = SIZE.flags[0]


def sides(size: str) -> tuple[int, int]:
    width, height = size.split("x")
    return int(width), int(height)


def possible(width: int, height: int) -> bool:
    """The rules as the provider's documentation has them."""
    long, short = max(width, height), min(width, height)
    return width % 16 == height % 16 == 0 and long <= 3 * short and (long <= 3840 and short <= 2160)


def refused(text: str) -> OptionRefused:
    with pytest.raises(OptionRefused) as refusal:
        SIZE.parse(text)
    return refusal.value


@pytest.mark.parametrize("name", NAMED_SIZES)
def test_a_size_has_a_name_whichever_way_it_is_written(name: str) -> None:
    assert (
        parse_size(name)
        == parse_size(f" {name.upper()} ")
        == parse_ratio(name)
        == NAMED_SIZES[name]
    )
    assert possible(*sides(NAMED_SIZES[name]))


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        ("1:1", "1024x1024"),
        ("50:50", "1024x1024"),
        ("3:2", "1536x1024"),
        ("2:3", "1024x1536"),
        ("16:9", "1792x1008"),
        ("9:16", "1008x1792"),
        ("32:18", "1792x1008"),
        ("4:3", "1472x1104"),
        ("21:9", "1904x816"),
        ("3:1", "2160x720"),
        ("1:3", "720x2160"),
        ("16/9", "1792x1008"),
        ("16：9", "1792x1008"),
        ("16x9", "1792x1008"),
        ("16X9", "1792x1008"),
        ("16×9", "1792x1008"),
        ("16*9", "1792x1008"),
        (" 16 : 9 ", "1792x1008"),
        ("16x10", "1600x1000"),
    ],
)
def test_a_ratio_stands_for_a_size(ratio: str, size: str) -> None:
    named = parse_size(ratio)
    assert parse_ratio(ratio) == named
    width, height = sides(named)
    expected_width, expected_height = sides(size)
    assert width / height == pytest.approx(expected_width / expected_height, rel=0.02)


@pytest.mark.parametrize(
    ("ratio", "size"), [("1:1", "square"), ("3:2", "landscape"), ("2:3", "portrait")]
)
def test_a_ratio_that_has_a_named_size_gives_that_size(ratio: str, size: str) -> None:
    assert parse_ratio(ratio) == NAMED_SIZES[size]
    assert (parse_ratio("16:9"), parse_ratio("9:16")) == (NAMED_SIZES["wide"], NAMED_SIZES["tall"])


def test_every_size_made_from_a_ratio_is_possible_and_near_the_ratio() -> None:
    uneven = [(1, 1), (2999, 1000), (1000, 2999), (9999, 3333), (1021, 1019), (1920, 1081)]
    every = itertools.product(range(1, 151), repeat=2)
    for over, under in itertools.chain(uneven, every):
        if over > 3 * under or under > 3 * over:
            continue
        width, height = sides(parse_ratio(f"{over}:{under}"))
        assert possible(width, height), (over, under)
        assert width / height == pytest.approx(over / under, rel=0.02), (over, under)


@pytest.mark.parametrize(
    "size", ["1024x1024", "3840x2160", "2160x3840", "1280x720", "1920x1088", "2160x720", "1024x640"]
)
@pytest.mark.parametrize("times", ["x", "X", "×", "*"])
def test_a_possible_size_is_taken_as_it_is(size: str, times: str) -> None:
    assert parse_size(size.replace("x", times)) == size
    assert parse_size(size.replace("x", f" {times} ")) == size


def test_auto_leaves_the_size_to_the_model() -> None:
    assert parse_size("auto") == parse_size("AUTO") == "auto"


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("1000x1000", "992x992"),
        ("1920x1080", "1920x1088"),
        ("3840x3840", "2160x2160"),
        ("7680x4320", "3840x2160"),
        ("4000x1000", "3840x1280"),
        ("1000x4000", "1280x3840"),
        ("500x500", "496x496"),
        ("99999x99999", "2160x2160"),
        ("100x20", "112x48"),
    ],
)
def test_of_an_impossible_size_the_nearest_is_named(typed: str, nearest: str) -> None:
    refusal = refused(typed)
    assert (refusal.reason, refusal.option, refusal.value) == (Reason.BAD_OPTION, "--size", typed)
    assert refusal.nearest == nearest
    assert parse_size(nearest) == nearest


def test_whatever_size_is_typed_it_or_the_nearest_to_it_is_taken() -> None:
    edges = {1, 99, 100, 101, 655, 810, 1024, 2159, 2160, 2161, 3839, 3840, 3841, 9999, 99999}
    lengths = sorted(edges | set(range(0, 4200, 37)) | set(range(16, 4200, 160)))
    for width, height in itertools.product(lengths, repeat=2):
        if max(width, height) < 100:
            continue
        try:
            size = parse_size(f"{width}x{height}")
        except ImpossibleValue as impossible:
            size = impossible.nearest
            assert not possible(width, height)
        else:
            assert sides(size) == (width, height)
        assert possible(*sides(size)), (width, height)
        assert parse_size(size) == size
        assert (width >= height) or sides(size)[0] <= sides(size)[1]


def test_the_nearest_size_keeps_a_possible_ratio() -> None:
    for width, height in itertools.product(range(700, 6000, 91), repeat=2):
        ratio = width / height
        if possible(width, height) or not 1 / 3 <= ratio <= 3:
            continue
        near = sides(refused(f"{width}x{height}").nearest)
        assert near[0] / near[1] == pytest.approx(ratio, rel=0.03), (width, height)


@pytest.mark.parametrize(("typed", "nearest"), [("4:1", "3:1"), ("1:4", "1:3"), ("9999:1", "3:1")])
def test_of_an_impossible_ratio_the_nearest_is_named(typed: str, nearest: str) -> None:
    with pytest.raises(OptionRefused) as refusal:
        SIZE.parse(typed, RATIO)
    assert (refusal.value.option, refusal.value.nearest) == ("--ar", nearest)
    assert possible(*sides(parse_ratio(nearest)))
    assert refused(typed).option == "--size"


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "big", "16", "16:", ":9", "0:1", "1:0", "0x0", "00x00", "-16:9", "16:-9", "1.5:1",
        "16:9:4", "12345:12345", "1e3x1e3", "1024xx1024", "1024", "x", "1024x", "123456x123456",
    ],
)  # fmt: skip
def test_what_is_no_size_at_all_is_refused_by_its_own_words(typed: str) -> None:
    refusal = refused(typed)
    assert (refusal.option, refusal.value, refusal.nearest) == ("--size", typed, "")


def test_a_ratio_takes_no_pixels_and_names_its_own_option() -> None:
    for typed in ("1024x10240", "auto", "wider", "99999:1"):
        with pytest.raises(OptionRefused) as refusal:
            SIZE.parse(typed, RATIO)
        assert refusal.value.option == "--ar"


# like an image to edit


@pytest.mark.parametrize(
    ("pixels", "size"),
    [
        ((1600, 1000), "1536x960"),
        ((1000, 1600), "960x1536"),
        ((1792, 1008), "1792x1008"),  # a draft of ours, wide
        ((1008, 1792), "1008x1792"),
        ((1536, 1024), "1536x1024"),
        ((1024, 1024), "1024x1024"),
        ((3840, 2160), "1792x1008"),
        ((4032, 3024), "1472x1104"),
        ((3024, 4032), "1104x1472"),
        ((1, 1), "1024x1024"),
        ((1000, 990), "1024x1024"),
        ((10_000, 10), "2160x720"),
        ((10, 10_000), "720x2160"),
        ((1170, 2532), "848x1840"),  # the screen of a phone
        ((2480, 3508), "1056x1488"),  # A4
    ],
)
def test_an_edit_is_as_its_image(pixels: tuple[int, int], size: str) -> None:
    assert size_like(*pixels, usual="1024x1024") == size_like(*pixels) == size


@pytest.mark.parametrize(
    ("usual", "size"),
    [("512x512", "768x480"), ("1536x1024", "1536x960"), ("3840x2160", "3456x2160")],
)
def test_it_is_about_as_large_as_usual(usual: str, size: str) -> None:
    assert size_like(1600, 1000, usual) == size


@pytest.mark.parametrize("usual", ["auto", "1024x1024", "512x512", "2160x3840", "1536x1024"])
def test_whatever_the_image_its_size_is_possible_and_near_its_ratio(usual: str) -> None:
    for width, height in product((1, 17, 240, 999, 1024, 3011, 9000), repeat=2):
        size = size_like(width, height, usual)
        assert parse_size(size) == size
        got = Fraction(*sides(size))
        wanted = min(max(Fraction(width, height), Fraction(1, 3)), Fraction(3))
        assert abs(float(got / wanted) - 1) < 0.06
        assert size_like(*sides(size), usual) == size


@pytest.mark.parametrize("usual", ["auto", "1024x1024", "512x512", "2048x1152", "2160x2160"])
def test_no_edit_is_larger_than_the_largest_of_its_usual_size(usual: str) -> None:
    most = pixels_of(largest_like(usual))
    shapes = product((*range(1, 130, 3), 519, 1215, 3840), repeat=2)
    largest = max(pixels_of(size_like(width, height, usual)) for width, height in shapes)
    assert largest <= most < 1.2 * largest


def pixels_of(size: str) -> int:
    width, height = sides(size)
    return width * height
