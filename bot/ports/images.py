"""Image generation."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from bot.domain.costs import Usage
from bot.domain.images import GeneratedImage, ImageRequest


class CancelledCall(NamedTuple):
    """The outcome of a call that was cancelled: its usage, None where that is not known, and
    whether it may be paid for all the same."""

    usage: Usage | None = None
    may_be_paid: bool = True


class Checkpoint(Protocol):
    """Records what becomes known during the call for one image."""

    async def before_paid_call(self) -> None:
        """The backend awaits this before a call that may cost money, and makes no such call where
        this raises."""

    async def response_started(self, response_id: str) -> None:
        """The backend awaits this as soon as it knows the provider's response id."""

    def call_ended(self, usage: Usage | None, *, may_be_paid: bool) -> None:
        """Takes how the last paid call ended, where the backend goes on without its image. `usage`
        is None where it is not known."""

    def partial_image(self, encoded: str) -> None:
        """Takes a partial image, in base64; returns at once."""


class RefusedSettings(Protocol):
    """The settings, chosen by no person, that servers of images refuse, for all processes. A
    `scope` is a server with its models. Raises `StoreUnavailable`."""

    async def load(self, scope: str) -> frozenset[str]:
        """The names of the settings that are remembered."""

    async def add(self, scope: str, names: Collection[str], seconds: float) -> frozenset[str]:
        """Remember these for so long; answers those that were not known."""


class ProviderSlots(Protocol):
    """How many calls all workers make to the provider at a time, and its pauses. None of the
    methods raises."""

    async def take(self, given_up: Callable[[], bool]) -> str | None:
        """Wait for a slot, and for the end of a pause; answers its lease, or None where it was
        given up meanwhile."""

    async def give_back(self, lease: str) -> None:
        """A second time, it does nothing."""

    def use(self, lease: str) -> None:
        """The current task, and those that it starts from now on, call in this slot."""

    def call(self) -> AbstractAsyncContextManager[None]:
        """Surrounds a call: waits for the end of a pause, and gives the slot back after a call that
        raised nothing. A task that has no slot waits for one."""

    async def pause(self, seconds: float) -> None:
        """No worker begins a call for so long."""


class ImageBackend(Protocol):
    """Makes images."""

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        """Make one image. Raises `GenerationError`, and what the checkpoint raises.

        The backend makes no paid call where an earlier run's response (`request.response_id`, which
        the checkpoint recorded) has the image. It pays at most once; the caller owns the retries.
        """

    async def cancel(self, response_id: str) -> CancelledCall:
        """Stop the response at the provider, where that is possible; never raises."""

    async def close(self) -> None: ...
