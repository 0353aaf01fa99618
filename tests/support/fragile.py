"""`python -m tests.support.fragile worker`: the program as it is, but for one picture that it does
not survive, and another that takes it long to read."""

from __future__ import annotations

import io
import os
import signal
import sys
import time

from PIL import Image

from bot.__main__ import main
from bot.adapters.slack import downloads
from bot.adapters.slack.downloads import readable_picture

DEADLY = (13, 17)
SLOW = (13, 19)
SECONDS = 4.0


def _read(data: bytes) -> bytes:
    """In the thread that decodes, when the header has been looked at."""
    picture = readable_picture(data)
    with Image.open(io.BytesIO(data)) as image:
        if image.size == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        if image.size == SLOW:
            sys.stderr.write("reads slowly\n")
            time.sleep(SECONDS)
    return picture


if __name__ == "__main__":
    downloads.readable_picture = _read
    sys.exit(main())
