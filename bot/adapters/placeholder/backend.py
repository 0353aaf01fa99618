"""The backend: when it draws, and what it shows on the way."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable

from bot.adapters.placeholder.drawing import draw
from bot.domain.images import GeneratedImage, ImageRequest

logger = logging.getLogger(__name__)

MODEL = "placeholder, no model"
"""What stands in the place of a model's name."""


class PlaceholderBackend:
    """An `ImageBackend` that takes `delay` seconds and no network. `size` is `auto` or W×H;
    `partial_images` is how many previews it shows on the way.

    The same candidate always looks the same, and no two of a session look alike.
    """

    def __init__(self, *, size: str, delay: float = 1.5, partial_images: int = 0) -> None:
        self._size = size
        self._delay = delay
        self._partial_images = partial_images

    async def close(self) -> None:
        """Nothing is open."""

    async def cancel(self, response_id: str) -> None:
        """Nothing goes on by itself."""

    async def generate(
        self,
        request: ImageRequest,
        on_started: Callable[[str], Awaitable[None]],
        on_partial: Callable[[str], None],
    ) -> GeneratedImage:
        drawn = await asyncio.to_thread(draw, request, self._size, self._partial_images)
        pause = self._delay / (len(drawn.previews) + 1)
        for preview in drawn.previews:
            await asyncio.sleep(pause)
            _show(preview, on_partial)
        await asyncio.sleep(pause)
        return GeneratedImage(drawn.data, "image/png", *drawn.size, model=MODEL)


def _show(preview: bytes, on_partial: Callable[[str], None]) -> None:
    """What cannot be shown must not cost the image."""
    try:
        on_partial(base64.b64encode(preview).decode())
    except Exception as error:  # noqa: BLE001 - whatever it is
        logger.warning("a preview was not shown: %s", type(error).__name__)
