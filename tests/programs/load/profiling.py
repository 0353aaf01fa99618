"""py-spy on the bot's processes while N sessions run: which functions the time goes to.

Samples count where a thread holds the interpreter's lock: py-spy takes the waiting of uvloop's C
code for work otherwise.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.programs.load.world import World

TOP = 40


def available() -> str:
    """Where py-spy is; empty where it is not installed."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy") or ""


@asynccontextmanager
async def profiled(world: World, folder: Path) -> AsyncIterator[None]:
    """Record while the body runs; then a list of functions stands beside each recording."""
    folder.mkdir(parents=True, exist_ok=True)
    recordings, recorders = [], []
    for name, program in world.programs.items():
        recording = folder / f"{world.case.mode}-{world.case.n}-{name}.raw"
        recorder = await asyncio.create_subprocess_exec(
            *(available(), "record", "-f", "raw", "--gil", "-r", "500", "-o", str(recording)),
            *("-d", "3600", "--pid", str(program.pid)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        recordings.append(recording)
        recorders.append(recorder)
    try:
        yield
    finally:
        for recorder in recorders:
            recorder.send_signal(signal.SIGINT)
            await recorder.wait()
        for recording in recordings:
            recording.with_suffix(".txt").write_text(functions(recording.read_text()))


def functions(raw: str) -> str:
    """Functions by their own samples, and by those in which they or what they call ran."""
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_function(frame) for frame in stack.split(";")]
        own[frames[-1]] += int(count)
        for frame in set(frames):
            within[frame] += int(count)
    total = sum(own.values()) or 1
    parts = [f"{total} samples"]
    for title, counts in (("own", own), ("inclusive", within)):
        lines = [f"{100 * n / total:5.1f} %  {name}" for name, n in counts.most_common(TOP)]
        parts += ["", title, *lines]
    return "\n".join(parts) + "\n"


def _function(frame: str) -> str:
    """Without the line, so that a function's lines count together."""
    return frame.rpartition(":")[0] + ")" if ":" in frame else frame
