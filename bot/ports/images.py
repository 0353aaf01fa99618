"""The image backends."""

from __future__ import annotations

from typing import Protocol

from bot.domain.images import GeneratedImage, ImageRequest


class Checkpoint(Protocol):
    """What is recorded during the call for one image."""

    async def before_paid_call(self) -> None:
        """Awaited before a call that may cost money. The call is not made where this raises."""

    async def response_started(self, response_id: str) -> None:
        """Awaited with the provider's response id as soon as it is known."""

    def partial_image(self, encoded: str) -> None:
        """Called with each partial image, in base64; returns at once."""


class ImageBackend(Protocol):
    """A maker of images."""

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        """Make one image. Raises `GenerationError`, and nothing else on purpose but what the
        checkpoint raises.

        There is no paid call where an earlier run's response has the image. A later run of the same
        candidate can go on from the response that the checkpoint was told of
        (`request.response_id`). The call pays at most once; the caller owns the retries.
        """

    async def cancel(self, response_id: str) -> None:
        """Cancel a response at the provider, where that is possible; never raises."""

    async def close(self) -> None: ...
