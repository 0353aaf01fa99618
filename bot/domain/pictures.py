"""Which pictures of people can be a session's beginning."""

from __future__ import annotations

from bot.domain.errors import Reason, Refusal

ACCEPTED = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""MIME types; of a GIF the first frame counts."""
MAX_BYTES = 20 * 1024 * 1024


def check_picture(mime_type: str, size: int) -> None:
    """Raises `Refusal` with `IMAGE_TYPE` or `IMAGE_TOO_LARGE`. `size` is in bytes."""
    if mime_type not in ACCEPTED:
        raise Refusal(Reason.IMAGE_TYPE)
    if size > MAX_BYTES:
        raise Refusal(Reason.IMAGE_TOO_LARGE)
