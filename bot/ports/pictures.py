"""Pictures that people bring: where they come from, and where they are kept once they are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from bot.domain.images import BaseImage

OnReading = Callable[[], Awaitable[None]]
"""Awaited right before a picture is decoded."""


class Files(Protocol):
    """Pictures that people have in Slack."""

    async def fetch(self, file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        """A picture as a model is shown it: PNG, JPEG or WebP, upright, without metadata. Raises
        `GenerationError` with one of the kinds `SOURCE_…`, and what `on_reading` raises."""

    async def download(self, file_id: str) -> bytes:
        """An image of ours as it was uploaded. Raises `GenerationError` with one of the kinds
        `SOURCE_…` or `APP_REFUSED`, and `SlackUnavailable`."""


class PictureStore(Protocol):
    """People's pictures by Slack's file, once for all sessions of an installation, and who reads
    one just now. Every method raises `StoreUnavailable` when the store is away."""

    async def load(self, team: str, file_id: str) -> BaseImage | None:
        """The picture; None where it was not read yet, or has expired. Loading renews its time."""

    async def keep(self, team: str, user: str, file_id: str, picture: BaseImage) -> None:
        """Keep it for `IMAGE_TTL`, unless its owner keeps too much. `user` is the name in the keys
        (`Person.key_in`) of the one whose session brought it."""

    async def readers(self, team: str, file_id: str) -> set[str]:
        """The runs that began to read it, and have not told that they ended. Those of a worker
        that was lost remain."""

    async def begin_reading(
        self, team: str, file_id: str, reader: str, lost: Collection[str]
    ) -> bool:
        """Record the reader before it reads. False where there is another one that is not among
        the `lost`."""

    async def end_reading(self, team: str, file_id: str, reader: str) -> None:
        """This reader has ended without reading the picture; the others count on."""

    async def forget_readers(self, team: str, file_id: str) -> None:
        """The picture was read, or refused: no reader was lost to it."""
