"""An image backend that all workers share: so many calls at a time, and none while the provider
wants none."""

from __future__ import annotations

from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from bot.ports import Checkpoint, ImageBackend, ProviderSlots
from bot.work_slots import lend_slot

PAUSE = 1.5
"""Seconds for which no worker calls a provider that wants fewer calls and does not say when."""
LONGEST_PAUSE = 60.0
"""Seconds. Where a provider asks for more, people are told of the failure, and not kept waiting."""


class SharedProvider:
    """An `ImageBackend` around another. A call waits for its slot before its time begins. Once the
    image is there, the worker may begin another: the rest of the job waits for Slack."""

    def __init__(self, backend: ImageBackend, slots: ProviderSlots) -> None:
        self._backend = backend
        self._slots = slots
        self.cancel = backend.cancel
        self.close = backend.close

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        """A failed call keeps its slot for the next try of the same job."""
        async with self._slots.call():
            try:
                image = await self._backend.generate(request, checkpoint)
            except GenerationError as error:
                if error.kind is FailureKind.RATE_LIMITED:
                    asked = error.retry_after or PAUSE
                    await self._slots.pause(asked if asked <= LONGEST_PAUSE else PAUSE)
                raise
        lend_slot()
        return image
