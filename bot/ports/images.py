"""Who makes images."""

from __future__ import annotations

from typing import Protocol

from bot.domain.images import GeneratedImage, ImageRequest


class Checkpoint(Protocol):
    """What is recorded during the call for one image."""

    async def before_paid_call(self) -> None:
        """Is awaited before a call that may have to be paid, which is not made where this
        raises."""

    async def response_started(self, response_id: str) -> None:
        """Is awaited with the provider's response id as soon as that is known."""

    def partial_image(self, encoded: str) -> None:
        """Is told of each partial image, in base64; returns at once."""


class ImageBackend(Protocol):
    """Somebody who makes images."""

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        """Make one image. Raises `GenerationError`, and nothing else on purpose but what the
        checkpoint raises.

        There is no paid call where an earlier run's response has the image. A later run of the same
        candidate can go on from the response that the checkpoint was told of
        (`request.response_id`). The call pays at most once; the caller owns the retries.
        """

    async def cancel(self, response_id: str) -> None:
        """Stop what is under way at the provider, as well as that can be done; never raises."""

    async def close(self) -> None: ...
