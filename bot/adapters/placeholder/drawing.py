"""From a request to a picture: a pattern of its own, or the image to edit with the change on it."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image, ImageFilter
from PIL.PngImagePlugin import PngInfo

from bot.adapters.placeholder.edits import edit_image
from bot.adapters.placeholder.lettering import write_panel
from bot.adapters.placeholder.patterns import Size, draw_pattern
from bot.domain.images import XMP_KEYWORD, ImageRequest, size_of_request, xmp_of

DEFAULT_SIZE: Size = (1024, 1024)
LARGEST_SIDE = 3840
PREVIEW_SIDE = 384

NOTE = "Placeholder"


class Drawing(NamedTuple):
    """PNG files; the previews get clearer from one to the next."""

    data: bytes
    size: Size
    previews: list[bytes]


def draw(request: ImageRequest, size: str, previews: int = 0) -> Drawing:
    """The image that a request asks for. `size` is for a request that names none. Raises
    `GenerationError` where the image to edit can't be read."""
    image = _picture(request, request.options.size or size_of_request(request, size))
    blurred = [_preview(image, left) for left in range(previews, 0, -1)]
    return Drawing(_png(image, xmp_of(from_picture=request.from_picture)), image.size, blurred)


def _picture(request: ImageRequest, size: str) -> Image.Image:
    if request.base and request.base.data:
        return edit_image(request, _title(request), parse_size(size))
    pixels = parse_size(size) or DEFAULT_SIZE
    clear = request.options.background == "transparent"
    image = draw_pattern(request.prompt, request.attempt, request.candidate, pixels, clear=clear)
    write_panel(image, _title(request), request.change or request.prompt)
    return image


def _title(request: ImageRequest) -> str:
    which = f"image {request.candidate} of " if request.options.candidates > 1 else ""
    title = f"{NOTE} · {which}attempt {request.attempt}"
    return f"{title} · edited" if request.base else title


def parse_size(size: str) -> Size | None:
    """Width and height in pixels, kept within reason; None where it is left open."""
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit()):
        return None
    return _within_reason(int(width)), _within_reason(int(height))


def _within_reason(side: int) -> int:
    return min(max(side, 16), LARGEST_SIDE)


def _preview(image: Image.Image, steps_left: int) -> bytes:
    small = image.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return _png(small.filter(ImageFilter.GaussianBlur(4 * steps_left)))


def _png(image: Image.Image, xmp: str = "") -> bytes:
    about = PngInfo()
    if xmp:
        about.add_itxt(XMP_KEYWORD, xmp)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3, pnginfo=about)
    return out.getvalue()
