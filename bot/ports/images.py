"""Who makes images."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.domain.images import GeneratedImage, ImageRequest

OnAsking = Callable[[], Awaitable[None]]
"""Is awaited before a call that may have to be paid, which is not made where this raises."""
OnStarted = Callable[[str], Awaitable[None]]
"""Is awaited with the provider's response id as soon as that is known."""
OnPartial = Callable[[str], None]
"""Is told of each partial image, in base64; returns at once."""


async def free_to_ask() -> None:
    """Nobody minds the call."""


class ImageBackend(Protocol):
    """Somebody who makes images."""

    async def generate(
        self,
        request: ImageRequest,
        on_started: OnStarted,
        on_partial: OnPartial,
        on_asking: OnAsking = free_to_ask,
    ) -> GeneratedImage:
        """Make one image. Raises `GenerationError`, and nothing else on purpose.

        `on_asking` is awaited before the paid call, and not where an earlier run's response has the
        image. What `on_started` is told, a later run of the same candidate can go on from
        (`request.response_id`). The call pays at most once; the caller owns the retries.
        """

    async def cancel(self, response_id: str) -> None:
        """Stop what is under way at the provider, as well as that can be done; never raises."""

    async def close(self) -> None: ...
