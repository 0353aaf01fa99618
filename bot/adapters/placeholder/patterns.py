"""The patterns: rings, waves, rays or bubbles."""

from __future__ import annotations

import colorsys
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from bot.domain.attempt import ImageRef

Colour = tuple[int, int, int]
Size = tuple[int, int]

GOLDEN = 0.618034
"""Of the colour circle, from one attempt to the next: neighbours are far apart."""
APART = 0.27
"""The step of the hue from one candidate to the next."""


def draw_pattern(
    prompt: str, attempt: int, candidate: int, size: Size, *, clear: bool = False
) -> Image.Image:
    """The picture without words; the same for the same. `clear`: on a transparent ground."""
    seed = prompt.encode("utf-8", "replace")
    chance = random.Random(seed)  # noqa: S311 - a pattern, no secret
    hue = (chance.random() + attempt * GOLDEN + (candidate - 1) * APART) % 1
    shapes = (_rings, _waves, _rays, _bubbles)
    shape = shapes[(chance.randrange(len(shapes)) + attempt + candidate - 1) % len(shapes)]
    chance.seed(seed + str(ImageRef(attempt, candidate)).encode())
    if clear:
        return _cut_out(size, hue, _mask(size, shape, chance))
    image = _ground(size, hue, chance)
    faint = _mask(size, shape, chance).point([level * 3 // 10 for level in range(256)])
    image.paste(colour(hue + 0.5, 0.08, 1.0), mask=faint)
    return image


def _cut_out(size: Size, hue: float, mask: Image.Image) -> Image.Image:
    """The shape alone, in a strong colour."""
    image = Image.new("RGBA", size, (*colour(hue, 0.75, 0.8), 255))
    image.putalpha(mask)
    return image


def colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _ground(size: Size, hue: float, chance: random.Random) -> Image.Image:
    """A slope from one colour to its neighbour, with soft lights in it."""
    slope = Image.linear_gradient("L").resize(size)
    dark, bright = colour(hue, 0.75, 0.35), colour(hue + 0.12, 0.65, 0.9)
    image = Image.composite(Image.new("RGB", size, bright), Image.new("RGB", size, dark), slope)
    light = Image.radial_gradient("L").point([max(0, 255 - 2 * level) for level in range(256)])
    for _ in range(5):
        side = round(max(size) * chance.uniform(0.6, 1.3))
        at = tuple(round(chance.uniform(-0.5, 0.7) * length) for length in size)
        tint = colour(hue + chance.uniform(-0.12, 0.2), 0.6, 1.0)
        image.paste(tint, (at[0], at[1], at[0] + side, at[1] + side), light.resize((side, side)))
    return image


Shape = Callable[[ImageDraw.ImageDraw, float, float, random.Random], None]


def _mask(size: Size, shape: Shape, chance: random.Random) -> Image.Image:
    """Where the shape shines through; drawn at twice the size and shrunk, for smooth edges."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    shape(ImageDraw.Draw(mask), float(mask.width), float(mask.height), chance)
    return mask.reduce(2)


def _circle(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, width: float) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(box, outline=255, width=max(1, round(width)))


def _rings(pen: ImageDraw.ImageDraw, width: float, height: float, chance: random.Random) -> None:
    x, y = width * chance.random(), height * chance.uniform(0, 0.6)
    step = max(width, height) / chance.randrange(14, 24)
    for number in range(1, 30):
        _circle(pen, x, y, number * step, step * chance.uniform(0.1, 0.5))


def _waves(pen: ImageDraw.ImageDraw, width: float, height: float, chance: random.Random) -> None:
    lines, bends, start = chance.randrange(12, 20), chance.uniform(1, 3), chance.uniform(0, 6)
    for line in range(lines + 1):
        points = []
        for step in range(65):
            angle = step / 64 * bends * math.tau + start + line * 0.35
            y = height * (line / lines + 0.05 * math.sin(angle))
            points.append((width * step / 64, y))
        pen.line(points, fill=255, width=max(1, round(height / lines / 4)), joint="curve")


def _rays(pen: ImageDraw.ImageDraw, width: float, height: float, chance: random.Random) -> None:
    x, y, reach = width * chance.random(), height * chance.uniform(0, 0.5), 2 * (width + height)
    rays, start = chance.randrange(14, 26), chance.random()
    for ray in range(rays):
        sides = ((ray + edge) / rays * math.tau + start for edge in (0, 0.45))
        far = [(x + reach * math.cos(side), y + reach * math.sin(side)) for side in sides]
        pen.polygon([(x, y), *far], fill=255)


def _bubbles(pen: ImageDraw.ImageDraw, width: float, height: float, chance: random.Random) -> None:
    for _ in range(60):
        radius = min(width, height) * chance.uniform(0.01, 0.12)
        thick = chance.choice((radius, radius / 6))
        _circle(pen, width * chance.random(), height * chance.random(), radius, thick)
