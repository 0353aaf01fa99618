"""`MeasuredBackend`: an image backend whose images are counted."""

from __future__ import annotations

import time

from bot.domain.errors import FailureKind, GenerationError, NotAsked
from bot.domain.images import GeneratedImage, ImageRequest
from bot.ports import Checkpoint, ImageBackend
from bot.telemetry import metrics

_PAID_FAILURES = {FailureKind.BAD_IMAGE, FailureKind.CUT_IMAGE}
"""The failures that come after the provider has made an image."""


class MeasuredBackend:
    """Implements `bot.ports.ImageBackend` around another one; `name` is its name in the settings.

    A generation that is cancelled is not counted: it says nothing about the provider.
    """

    def __init__(self, backend: ImageBackend, name: str) -> None:
        self._backend = backend
        self._paid = metrics.IMAGES_PAID.labels(name)
        self._seconds = {
            outcome: metrics.GENERATION_SECONDS.labels(name, outcome)
            for outcome in ("ok", "failed")
        }

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        started = time.perf_counter()
        with metrics.IMAGES_IN_FLIGHT.track_inprogress():
            try:
                image = await self._backend.generate(request, checkpoint)
            except NotAsked:
                raise
            except Exception as error:
                self._count_failure(error, time.perf_counter() - started)
                raise
        self._paid.inc()
        self._seconds["ok"].observe(time.perf_counter() - started)
        return image

    def _count_failure(self, error: Exception, seconds: float) -> None:
        kind = error.kind if isinstance(error, GenerationError) else FailureKind.INTERNAL
        metrics.PROVIDER_ERRORS.labels(kind.value).inc()
        self._seconds["failed"].observe(seconds)
        if kind in _PAID_FAILURES:
            self._paid.inc()

    async def cancel(self, response_id: str) -> None:
        await self._backend.cancel(response_id)

    async def close(self) -> None:
        await self._backend.close()
