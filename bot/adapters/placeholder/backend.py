"""The backend: when it draws, and what it shows on the way."""

from __future__ import annotations

import asyncio
import base64
import logging
from functools import partial

from bot.adapters.imaging import OneAtATime
from bot.adapters.placeholder.drawing import Drawn, draw
from bot.domain.images import GeneratedImage, ImageRequest
from bot.ports import Checkpoint

logger = logging.getLogger(__name__)

MODEL = "placeholder, no model"
"""What stands in the place of a model's name."""


class PlaceholderBackend:
    """An `ImageBackend` that takes `delay` seconds and no network. `size` is `auto` or W×H;
    `partial_images` is how many previews it shows on the way; `reading` the turn of all that decode
    people's pictures.

    The same candidate always looks the same, and no two of a session look alike.
    """

    def __init__(
        self,
        *,
        size: str,
        delay: float = 1.5,
        partial_images: int = 0,
        reading: OneAtATime | None = None,
    ) -> None:
        self._size = size
        self._reading = reading or OneAtATime()
        self._delay = delay
        self._partial_images = partial_images

    async def close(self) -> None:
        """Nothing is open."""

    async def cancel(self, response_id: str) -> None:
        """Nothing goes on by itself."""

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        await checkpoint.before_paid_call()
        drawn = await self._draw(request)
        pause = self._delay / (len(drawn.previews) + 1)
        for preview in drawn.previews:
            await asyncio.sleep(pause)
            _show(preview, checkpoint)
        await asyncio.sleep(pause)
        return GeneratedImage(drawn.data, "image/png", *drawn.size, model=MODEL)

    async def _draw(self, request: ImageRequest) -> Drawn:
        """A picture to edit is decoded for it; others do not wait for that."""
        work = partial(draw, request, self._size, self._partial_images)
        if request.base and request.base.data:
            return await self._reading.run(work)
        return await asyncio.to_thread(work)


def _show(preview: bytes, checkpoint: Checkpoint) -> None:
    """What cannot be shown must not cost the image."""
    try:
        checkpoint.partial_image(base64.b64encode(preview).decode())
    except Exception as error:  # noqa: BLE001 - whatever it is
        logger.warning("a preview was not shown: %s", type(error).__name__)
