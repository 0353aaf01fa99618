"""Which pictures of people can be a session's beginning."""

from __future__ import annotations

from bot.domain.errors import Reason, Refusal

ACCEPTED = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""MIME types; of a GIF the first frame counts."""
MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""Width × height, of any picture that is decoded. An animated WebP takes about 25 bytes of memory
for each meanwhile."""


def check_picture(mime_type: str, size: int, pixels: int = 0) -> None:
    """Raises `Refusal` with `IMAGE_TYPE`, `IMAGE_TOO_LARGE` or `IMAGE_TOO_MANY_PIXELS`. `size` is
    in bytes; `pixels` is width × height, 0 where nobody knows."""
    if mime_type not in ACCEPTED:
        raise Refusal(Reason.IMAGE_TYPE)
    if size > MAX_BYTES:
        raise Refusal(Reason.IMAGE_TOO_LARGE)
    if pixels > MAX_PIXELS:
        raise Refusal(Reason.IMAGE_TOO_MANY_PIXELS)


def told_pixels(file: dict[str, object]) -> int:
    """Width × height as Slack's file object tells it, 0 where it does not. The file itself may say
    otherwise."""
    match file:
        case {"original_w": int(width), "original_h": int(height)} if width > 0 < height:
            return width * height
    return 0
