"""An image backend for running with no key: it draws a pattern of its own, with the prompt on it.

The same attempt always looks the same, and no two attempts at a prompt look alike.
"""

from __future__ import annotations

import asyncio
import colorsys
import io
import math
import random
import re
import unicodedata
from bisect import bisect
from collections.abc import Awaitable, Callable
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from bot.domain.images import GeneratedImage, ImageRequest

Colour = tuple[int, int, int]
Size = tuple[int, int]

DEFAULT_SIZE: Size = (1024, 1024)
LARGEST_SIDE = 3840
MOST_LINES = 7
LONGEST = 1000
"""Characters of the prompt that are looked at; more do not fit."""

GOLDEN = 0.618034
"""Of the colour circle, from one attempt to the next: neighbours are far apart."""

NOTE = "Placeholder"
INK = (24, 24, 32)
PAPER = (255, 255, 255, 232)


class PlaceholderBackend:
    """An `ImageBackend` that takes `delay` seconds and no network. `size` is `auto` or W×H."""

    def __init__(self, *, size: str, delay: float = 1.5) -> None:
        self._size = parse_size(size)
        self._delay = delay

    async def close(self) -> None:
        """Nothing is open."""

    async def generate(
        self, request: ImageRequest, on_started: Callable[[str], Awaitable[None]]
    ) -> GeneratedImage:
        await asyncio.sleep(self._delay)
        data = await asyncio.to_thread(draw, request.prompt, request.attempt, self._size)
        return GeneratedImage(data, "image/png", *self._size)


def parse_size(size: str) -> Size:
    """Width and height in pixels, kept within reason."""
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit()):
        return DEFAULT_SIZE
    return _within_reason(int(width)), _within_reason(int(height))


def _within_reason(side: int) -> int:
    return min(max(side, 16), LARGEST_SIDE)


def draw(prompt: str, attempt: int, size: Size) -> bytes:
    """The picture as a PNG file."""
    seed = prompt.encode("utf-8", "replace")
    chance = random.Random(seed)  # noqa: S311 - a pattern, no secret
    hue = (chance.random() + attempt * GOLDEN) % 1
    shapes = (_rings, _waves, _rays, _bubbles)
    shape = shapes[(chance.randrange(len(shapes)) + attempt) % len(shapes)]
    chance.seed(seed + str(attempt).encode())
    image = _ground(size, hue, chance)
    image.paste(_colour(hue + 0.5, 0.08, 1.0), mask=_pattern(size, shape, chance))
    _write(image, prompt, attempt)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _ground(size: Size, hue: float, chance: random.Random) -> Image.Image:
    """A slope from one colour to its neighbour, with soft lights in it."""
    slope = Image.linear_gradient("L").resize(size)
    dark, bright = _colour(hue, 0.75, 0.35), _colour(hue + 0.12, 0.65, 0.9)
    image = Image.composite(Image.new("RGB", size, bright), Image.new("RGB", size, dark), slope)
    light = Image.radial_gradient("L").point([max(0, 255 - 2 * level) for level in range(256)])
    for _ in range(5):
        side = round(max(size) * chance.uniform(0.6, 1.3))
        at = tuple(round(chance.uniform(-0.5, 0.7) * length) for length in size)
        tint = _colour(hue + chance.uniform(-0.12, 0.2), 0.6, 1.0)
        image.paste(tint, (at[0], at[1], at[0] + side, at[1] + side), light.resize((side, side)))
    return image


Shape = Callable[[ImageDraw.ImageDraw, float, float, random.Random], None]


def _pattern(size: Size, shape: Shape, chance: random.Random) -> Image.Image:
    """Where the shape shines through; drawn at twice the size and shrunk, for smooth edges."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    shape(ImageDraw.Draw(mask), float(mask.width), float(mask.height), chance)
    return mask.reduce(2).point([level * 3 // 10 for level in range(256)])


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


def _write(image: Image.Image, prompt: str, attempt: int) -> None:
    """A panel at the foot of the picture, with the attempt's number and the prompt."""
    unit = max(1.0, min(image.size) / 100)
    title, text = _font(max(7, round(unit * 3.6))), _font(max(7, round(unit * 4.2)))
    inner = image.width - 16 * unit
    lines = wrap(readable(prompt), text, inner)
    line_height = text.size * 1.3
    top = image.height - 8 * unit - title.size * 1.8 - len(lines) * line_height
    pen = ImageDraw.Draw(image, "RGBA")
    box = (4 * unit, max(0.0, top - 4 * unit), image.width - 4 * unit, image.height - 4 * unit)
    pen.rounded_rectangle(box, radius=2 * unit, fill=PAPER)
    pen.text((8 * unit, top), f"{NOTE} · attempt {attempt}", font=title, fill=(*INK, 170))
    top += title.size * 1.8
    for number, line in enumerate(lines):
        pen.text((8 * unit, top + number * line_height), line, font=text, fill=INK)


@lru_cache(maxsize=8)
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=pixels)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - what asking for a size gives
    return font


def readable(prompt: str) -> str:
    """The prompt in the letters that the font has: accents go, and `…` stands for all the rest."""
    plain = unicodedata.normalize("NFKD", prompt[:LONGEST])
    shown = (c if c.isspace() or _has_glyph(c) else "…" for c in plain if not _invisible(c))
    return re.sub("…(\\s*…)+", "…", " ".join("".join(shown).split()))


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Me", "Cf", "Cs"}


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    font = _font(20)
    return bytes(font.getmask(character)) != bytes(font.getmask("\U0010fffe"))


def wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Lines no wider than `width`, broken between words where that is possible."""
    lines: list[str] = []
    while text and len(lines) < MOST_LINES:
        fitting = bisect(range(1, len(text) + 1), width, key=lambda n: font.getlength(text[:n]))
        end = max(1, fitting)
        if end < len(text) and (space := text.rfind(" ", 1, end + 1)) > 0:
            end = space
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    if text:
        lines[-1] = lines[-1][:-1].rstrip() + "…"
    return lines
