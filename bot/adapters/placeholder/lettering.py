"""Words on a picture, in the letters of the font that comes with Pillow."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

MOST_LINES = 7
LINES_OF_RIBBON = 2
RIBBONS = 4
RIBBON = 0.2
"""Of the picture's height, from one ribbon to the next."""
LONGEST = 1000
"""Characters that are looked at; more do not fit."""

INK = (24, 24, 32)
PAPER = (255, 255, 255, 232)


def write_panel(image: Image.Image, title: str, text: str) -> None:
    """A panel at the foot of the picture."""
    unit = _unit(image)
    block = _block(image, title, text, MOST_LINES)
    _paint(image, block, image.height - 4 * unit - block.height)


def write_ribbon(image: Image.Image, title: str, text: str, place: int) -> None:
    """A smaller panel that starts at the head, one under the other where there are several."""
    unit = _unit(image)
    block = _block(image, title, text, LINES_OF_RIBBON)
    step = image.height * RIBBON
    _paint(image, block, 4 * unit + place % RIBBONS * step)


class _Block(NamedTuple):
    title: str
    lines: list[str]
    height: float


def _unit(image: Image.Image) -> float:
    return max(1.0, min(image.size) / 100)


def _fonts(unit: float) -> tuple[ImageFont.FreeTypeFont, ImageFont.FreeTypeFont]:
    """Of the title, and of the text."""
    return _font(max(7, round(unit * 3.6))), _font(max(7, round(unit * 4.2)))


def _block(image: Image.Image, title: str, text: str, most_lines: int) -> _Block:
    unit = _unit(image)
    title_font, font = _fonts(unit)
    lines = wrap(readable(text), font, image.width - 16 * unit, most_lines)
    height = 8 * unit + title_font.size * 1.8 + len(lines) * font.size * 1.3
    return _Block(title, lines, height)


def _paint(image: Image.Image, block: _Block, top: float) -> None:
    """Paper across the picture from `top` on, with the words on it."""
    unit = _unit(image)
    title_font, font = _fonts(unit)
    pen = ImageDraw.Draw(image, "RGBA")
    box = (4 * unit, max(0.0, top), image.width - 4 * unit, top + block.height)
    pen.rounded_rectangle(box, radius=2 * unit, fill=PAPER)
    top += 4 * unit
    pen.text((8 * unit, top), block.title, font=title_font, fill=(*INK, 170))
    top += title_font.size * 1.8
    for number, line in enumerate(block.lines):
        pen.text((8 * unit, top + number * font.size * 1.3), line, font=font, fill=INK)


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


def wrap(
    text: str, font: ImageFont.FreeTypeFont, width: float, most_lines: int = MOST_LINES
) -> list[str]:
    """Lines no wider than `width`, broken between words where that is possible."""
    lines: list[str] = []
    while text and len(lines) < most_lines:
        fitting = bisect(range(1, len(text) + 1), width, key=lambda n: font.getlength(text[:n]))
        end = max(1, fitting)
        if end < len(text) and (space := text.rfind(" ", 1, end + 1)) > 0:
            end = space
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    if text:
        lines[-1] = lines[-1][:-1].rstrip() + "…"
    return lines
