"""Opening pictures with Pillow, within bounds. The header decides before anything is decoded, and
decoding can be limited to one picture at a time."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from PIL import Image

from bot.domain.errors import ImagineError
from bot.domain.images import MAX_PIXELS

T = TypeVar("T")

Image.MAX_IMAGE_PIXELS = None
"""The limit here is the only one: Pillow's own begins with a warning, at another size."""


MOST_SCANS = 100
"""Of a progressive JPEG, which has about ten: each goes over all of its pixels once more."""
_SCAN = re.compile(rb"\xff\xda\x00[\x06-\x0e][\x01-\x04]")


class TooManyPixels(ImagineError):
    """The picture has more pixels than the program decodes."""


@contextmanager
def open_image(data: bytes, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """The picture, not decoded yet. Raises `TooManyPixels`; at broken files Pillow raises nearly
    anything."""
    with Image.open(io.BytesIO(data), formats=formats) as image:
        if image.width * image.height > MAX_PIXELS:
            raise TooManyPixels
        if image.format in {"JPEG", "MPO"} and has_too_many_scans(data):
            raise ValueError("too many scans")
        yield image


def has_too_many_scans(data: bytes) -> bool:
    """Whether a JPEG has more than `MOST_SCANS`."""
    return sum(1 for _ in islice(_SCAN.finditer(data), MOST_SCANS + 1)) > MOST_SCANS


class SerialExecutor:
    """Runs work in a thread of its own, one piece at a time. The next piece reuses the memory that
    the allocator keeps for the thread."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    async def run(
        self, work: Callable[[], T], on_turn: Callable[[], Awaitable[None]] | None = None
    ) -> T:
        """Await the turn, then `on_turn`, then the work. A thread cannot be stopped: when the
        caller is cancelled, the work keeps its turn to its end."""
        await self._turn.acquire()
        try:
            if on_turn is not None:
                await on_turn()
        except BaseException:
            self._turn.release()
            raise
        working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        working.add_done_callback(lambda _: self._turn.release())
        return await asyncio.shield(working)
