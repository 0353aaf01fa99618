"""Sizes of an image, in pixels: by name, by ratio, or as W×H."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

from bot.domain.refusals import ImpossibleValue

NAMED_SIZES = {
    "square": "1024x1024",
    "landscape": "1536x1024",
    "portrait": "1024x1536",
    "wide": "1792x1008",
    "tall": "1008x1792",
}
"""By name; `wide` and `tall` are 16:9 and 9:16."""

STEP = 16
"""Pixels: width and height are multiples of it."""
MOST_RATIO = 3
LONGEST_SIDE, SHORTEST_OF_LONGEST = 3840, 2160
"""Pixels: up to 3840×2160, landscape or portrait."""

_NAMES = ", ".join(f"`{name}`" for name in NAMED_SIZES)
RATIO_TAKES = f"{_NAMES}, or a ratio from `1:{MOST_RATIO}` to `{MOST_RATIO}:1`, such as `16:9`"
SIZE_TAKES = (
    f"{_NAMES}, `auto`, a ratio such as `16:9`, or width×height in pixels, multiples of {STEP}, "
    f"up to {LONGEST_SIDE}×{SHORTEST_OF_LONGEST} either way round and no longer than {MOST_RATIO} "
    "to 1, such as `1280x720`"
)
SIZE_LABELS = {
    NAMED_SIZES["square"]: "Square 1:1",
    NAMED_SIZES["landscape"]: "Landscape 3:2",
    NAMED_SIZES["portrait"]: "Portrait 2:3",
    NAMED_SIZES["wide"]: "Wide 16:9",
    NAMED_SIZES["tall"]: "Tall 9:16",
}

_AREA = 1536 * 1024
"""Pixels: the area of landscape and portrait, which the size for a ratio comes near."""

_ROUGHLY = 1.2
"""An area that is at most so much larger or smaller is about as large."""

_RATIO = re.compile(r"(\d{1,4})\s*[:/：x×*]\s*(\d{1,4})")
_PIXELS = re.compile(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})")
_SHORTEST_PIXELS = 100
"""Two smaller numbers are a ratio: `16x10` is read as 16:10."""


def parse_size(text: str) -> str:
    """A size by name, ratio or W×H. Raises `ImpossibleValue`."""
    value = text.strip().lower()
    if value == "auto":
        return value
    if pixels := _PIXELS.fullmatch(value):
        width, height = int(pixels[1]), int(pixels[2])
        if max(width, height) >= _SHORTEST_PIXELS:
            return _possible(width, height)
    return parse_ratio(text)


def check_pixels(text: str) -> str:
    """A setting's size: `auto` or W×H as people may ask for it. Raises `ImpossibleValue`."""
    pixels = _PIXELS.fullmatch(text)
    if text != "auto" and not (pixels and min(map(int, pixels.groups())) > 0):
        raise ImpossibleValue
    return _possible(int(pixels[1]), int(pixels[2])) if pixels else text


def parse_ratio(text: str) -> str:
    """The size that stands for a ratio, such as 16:9, or for a name. Raises `ImpossibleValue`."""
    value = text.strip().lower()
    if value in NAMED_SIZES:
        return NAMED_SIZES[value]
    match = _RATIO.fullmatch(value)
    if not match or not int(match[1]) or not int(match[2]):
        raise ImpossibleValue
    ratio = Fraction(int(match[1]), int(match[2]))
    if not Fraction(1, MOST_RATIO) <= ratio <= MOST_RATIO:
        nearest = f"{MOST_RATIO}:1" if ratio > 1 else f"1:{MOST_RATIO}"
        raise ImpossibleValue(nearest)
    if ratio == 1:
        return NAMED_SIZES["square"]
    width, height = _exact(ratio) or _near(ratio)
    return f"{width}x{height}"


def size_like(width: int, height: int, usual: str = "auto") -> str:
    """The size for an edit of an image of `width` × `height`: of the same shape, as near as the
    models come to it, and about as large as the `usual` size. An image that is such a size by
    itself keeps it."""
    ratio = min(max(Fraction(width, height), Fraction(1, MOST_RATIO)), Fraction(MOST_RATIO))
    area = _usual_area(usual, ratio)
    is_usual = area / _ROUGHLY <= width * height <= area * _ROUGHLY
    if is_usual and (width, height) == _within_limits(width, height):
        return f"{width}x{height}"
    width, height = _within_limits(*(_exact(ratio, area) or _near(ratio, area)))
    return f"{width}x{height}"


def largest_like(usual: str = "auto") -> str:
    """A square of as many pixels as `size_like` answers at the most, whatever the image's shape."""
    area = min(2 * _usual_area(usual, Fraction(MOST_RATIO)), LONGEST_SIDE * SHORTEST_OF_LONGEST)
    side = ceil(area**0.5 / STEP) * STEP
    return f"{side}x{side}"


def _usual_area(usual: str, ratio: Fraction) -> int:
    """Pixels of an image of that ratio. An image that is not nearly square has half as many again
    as a square `usual` size, like landscape and portrait."""
    nearly_square = Fraction(5, 6) <= ratio <= Fraction(6, 5)
    named = _PIXELS.fullmatch(NAMED_SIZES["square"] if usual == "auto" else usual)
    area = int(named[1]) * int(named[2]) if named else _AREA
    return area if nearly_square else max(area, min(_AREA, area * 3 // 2))


def _possible(width: int, height: int) -> str:
    nearest_width, nearest_height = _within_limits(width, height)
    if (width, height) != (nearest_width, nearest_height):
        raise ImpossibleValue(f"{nearest_width}x{nearest_height}")
    return f"{width}x{height}"


def _within_limits(width: int, height: int) -> tuple[int, int]:
    """The nearest size that the models make. The ratio is within the limits."""
    long = max(width, height, 7 * STEP)  # the least that is not taken for a ratio
    short = max(min(width, height) * long / max(width, height), long / MOST_RATIO)
    shrink = min(1.0, LONGEST_SIDE / long, SHORTEST_OF_LONGEST / short)
    sides = _step(long * shrink), _step(short * shrink)
    if sides[0] > MOST_RATIO * sides[1]:
        sides = sides[0], sides[1] + STEP
    return sides if width >= height else sides[::-1]


def _exact(ratio: Fraction, wanted: int = _AREA) -> tuple[int, int] | None:
    """The size of exactly this ratio that comes nearest to the wanted area, if one comes near."""
    width, height = ratio.numerator * STEP, ratio.denominator * STEP
    times = max(1, round((wanted / (width * height)) ** 0.5))
    area = width * height * times * times
    return (width * times, height * times) if area <= 2 * wanted else None


def _near(ratio: Fraction, wanted: int = _AREA) -> tuple[int, int]:
    """The size nearest to this ratio with the wanted area."""
    height = (wanted / float(ratio)) ** 0.5
    width = height * float(ratio)
    return _within_limits(round(width), round(height))


def _step(length: float) -> int:
    return max(STEP, round(length / STEP) * STEP)
