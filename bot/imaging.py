"""Opening pictures with Pillow, within bounds: the header decides before anything is decoded, and
what takes much memory is done one at a time."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from PIL import Image

from bot.domain.errors import ImagineError
from bot.domain.pictures import MAX_PIXELS

T = TypeVar("T")

Image.MAX_IMAGE_PIXELS = None
"""The limit here is the only one: Pillow's own begins with a warning, at another size."""


class TooManyPixels(ImagineError):
    """A picture that is not decoded."""


@contextmanager
def opened(data: bytes, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """The picture, not decoded yet. Raises `TooManyPixels`; at broken files Pillow raises nearly
    anything."""
    with Image.open(io.BytesIO(data), formats=formats) as image:
        if image.width * image.height > MAX_PIXELS:
            raise TooManyPixels
        yield image


async def _nothing() -> None: ...


class OneAtATime:
    """Does work in a thread, one piece at a time; others on the event loop go on meanwhile."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def run(
        self, work: Callable[[], T], on_turn: Callable[[], Awaitable[None]] = _nothing
    ) -> T:
        """`on_turn` is awaited when the turn has come. A thread cannot be stopped: cancelled, the
        work keeps its turn to its end."""
        await self._turn.acquire()
        try:
            await on_turn()
        except BaseException:
            self._turn.release()
            raise
        working = asyncio.ensure_future(asyncio.to_thread(work))
        working.add_done_callback(lambda _: self._turn.release())
        return await asyncio.shield(working)
