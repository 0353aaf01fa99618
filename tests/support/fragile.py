"""`python -m tests.support.fragile worker`: the program as it is, but for some pictures: one that
it does not survive, one that takes long, and those that its child does not survive
(`tests.support.fragile_child`)."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys

from PIL import Image

from bot.__main__ import main
from bot.adapters.pictures import PictureReader
from bot.domain.images import BaseImage
from bot.ports import OnReading
from bot.wiring import lifecycle

DEADLY = (13, 19)
SLOW = (13, 23)
SECONDS = 2.5


class FragileReader(PictureReader):
    def __init__(self) -> None:
        super().__init__("tests.support.fragile_child")

    async def read(self, data: bytes | bytearray, on_reading: OnReading | None = None) -> BaseImage:
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
        if on_reading is not None and size in (DEADLY, SLOW):
            await on_reading()
        if size == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        if size == SLOW:
            sys.stderr.write("reads slowly\n")
            await asyncio.sleep(SECONDS)
        return await super().read(data, on_reading)


if __name__ == "__main__":
    vars(lifecycle)["PictureReader"] = FragileReader
    sys.exit(main())
