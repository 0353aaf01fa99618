"""An edit as the placeholder makes it: the image as it was, tinted, with the change on a ribbon."""

from __future__ import annotations

import random

from PIL import Image, ImageChops, ImageDraw, ImageOps

from bot.adapters.imaging import TooManyPixels, open_image
from bot.adapters.placeholder.lettering import write_ribbon
from bot.adapters.placeholder.patterns import APART, Size, colour
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import ImageRequest

READABLE = ("PNG", "JPEG", "GIF", "WEBP")
LARGEST = 2048
"""Pixels of a side, where the size is that of the image itself."""
TINT = 0.25
"""How much of the picture is tint."""


def edit_image(request: ImageRequest, title: str, size: Size | None) -> Image.Image:
    """The picture with its change. Where no size is asked for, it keeps its own. Raises
    `GenerationError(SOURCE_UNREADABLE)`."""
    assert request.base  # noqa: S101 - what makes it an edit
    image = _tinted(_fitted(_read(request.base.data), size), _hue(request))
    if request.options.background == "transparent":
        image = _cut_out(image)
    elif request.options.background == "opaque":
        image = _on_white(image)
    write_ribbon(image, title, request.change, place=len(request.changes))
    return image


def _read(data: bytes) -> Image.Image:
    try:
        with open_image(data, READABLE) as image:
            upright = ImageOps.exif_transpose(image)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except TooManyPixels:
        raise GenerationError(FailureKind.SOURCE_TOO_MANY_PIXELS) from None
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything at broken files
        raise GenerationError(FailureKind.SOURCE_UNREADABLE) from None


def _fitted(image: Image.Image, size: Size | None) -> Image.Image:
    """In the size asked for, cut where the shape is another."""
    if size is not None:
        return image if image.size == size else ImageOps.fit(image, size)
    image.thumbnail((LARGEST, LARGEST))
    return image


def _hue(request: ImageRequest) -> float:
    """Another one for each change, and far apart for the candidates of one."""
    seed = f"{request.change} {request.attempt}".encode("utf-8", "replace")
    chance = random.Random(seed)  # noqa: S311 - a colour, no secret
    return chance.random() + request.candidate * APART


def _tinted(image: Image.Image, hue: float) -> Image.Image:
    tint = Image.new("RGB", image.size, colour(hue, 0.8, 1.0))
    tinted = Image.blend(image.convert("RGB"), tint, TINT)
    if image.mode == "RGBA":
        tinted.putalpha(image.getchannel("A"))
    return tinted


def _cut_out(image: Image.Image) -> Image.Image:
    """With round corners and nothing around them."""
    shape = Image.new("L", image.size)
    edge = min(image.size) / 16
    box = (edge, edge, image.width - edge, image.height - edge)
    ImageDraw.Draw(shape).rounded_rectangle(box, radius=3 * edge, fill=255)
    cut = image.convert("RGBA")
    cut.putalpha(ImageChops.darker(cut.getchannel("A"), shape))
    return cut


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
