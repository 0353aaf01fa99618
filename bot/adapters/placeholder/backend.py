"""The backend: it draws an image and its previews, and waits as a provider would."""

from __future__ import annotations

import asyncio
import base64
import logging
from functools import partial

from bot.adapters.imaging import SerialExecutor
from bot.adapters.placeholder.drawing import Drawing, draw
from bot.domain.costs import Usage
from bot.domain.images import GeneratedImage, ImageRequest
from bot.ports import CancelledCall, Checkpoint

logger = logging.getLogger(__name__)

MODEL = "placeholder, no model"
"""The name in the place of a model's."""


class PlaceholderBackend:
    """An `ImageBackend` that takes `delay` seconds and no network. `size` is `auto` or W×H;
    `partial_images` is how many previews it shows; `reading` decodes all people's pictures, one at
    a time.

    The same candidate always looks the same, and no two of a session look alike.
    """

    def __init__(
        self,
        *,
        size: str,
        delay: float,
        partial_images: int = 0,
        reading: SerialExecutor | None = None,
    ) -> None:
        self._size = size
        self._reading = reading or SerialExecutor()
        self._delay = delay
        self._partial_images = partial_images

    async def close(self) -> None:
        """Nothing is open."""

    async def cancel(self, response_id: str) -> CancelledCall:
        """Does nothing: no work outlives its call."""
        return CancelledCall(may_be_paid=False)

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        await checkpoint.before_paid_call()
        drawn = await self._draw(request)
        pause = self._delay / (len(drawn.previews) + 1)
        for preview in drawn.previews:
            await asyncio.sleep(pause)
            _show(preview, checkpoint)
        await asyncio.sleep(pause)
        return GeneratedImage(drawn.data, "image/png", *drawn.size, model=MODEL, usage=Usage())

    async def _draw(self, request: ImageRequest) -> Drawing:
        """Draw in a thread. Only an edit decodes a picture, and waits for its turn."""
        work = partial(draw, request, self._size, self._partial_images)
        if request.base and request.base.data:
            return await self._reading.run(work)
        return await asyncio.to_thread(work)


def _show(preview: bytes, checkpoint: Checkpoint) -> None:
    """Show a preview. A failure is logged: it must not cost the image."""
    try:
        checkpoint.partial_image(base64.b64encode(preview).decode())
    except Exception as error:  # noqa: BLE001 - whatever it is
        logger.warning("a preview was not shown: %s", type(error).__name__)
