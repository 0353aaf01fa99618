"""`python -m tests.programs.load.pictures`: the worker's peak memory while several pictures come
that unpack to much, and how late somebody else's image is beside them.

`--megapixels 64` are bombs, `49` are just within the limit. Slack's own word about their size is
left out, so that the worker has to find out.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from bot.sandbox.workspace.files import File
from tests.support.processes import BotProcess
from tests.support.scene import Scene, isolated_world, new_scene

PATIENCE = 60.0
_PAYLOAD = File.payload


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.pictures", description=__doc__
    )
    parser.add_argument("--megapixels", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=3)
    parser.add_argument("--kind", default="WEBP", choices=["WEBP", "PNG", "JPEG", "GIF"])
    given = parser.parse_args()
    File.payload = _without_dimensions  # type: ignore[assignment,method-assign]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), given))


def _without_dimensions(file: File, *where: Any) -> dict[str, Any]:
    told = _PAYLOAD(file, *where)
    return {name: told[name] for name in told if name not in ("original_w", "original_h")}


async def _measure(folder: Path, given: argparse.Namespace) -> None:
    data = await asyncio.to_thread(_picture, given.kind, given.megapixels)
    async with isolated_world(folder) as world:
        await world.run("web")
        worker = await world.run("worker", WORKER_CONCURRENCY="20")
        alone = await _image(new_scene(world))
        _say(f"{given.pictures} × {given.kind}, {given.megapixels} MP, {len(data):,} bytes each")
        _say(f"peak of the worker before: {_peak(worker)} MB; an image alone: {alone:.2f} s")
        scene = new_scene(world)
        asking = [_edit(scene, n, data) for n in range(given.pictures)]
        *ended, beside = await asyncio.gather(*asking, _image(new_scene(world)))
        _say(f"peak of the worker after: {_peak(worker)} MB; the image beside: {beside:.2f} s")
        for words in ended:
            _say(f"- {words}")


def _picture(kind: str, megapixels: int) -> bytes:
    side = round((megapixels * 1_000_000) ** 0.5)
    more: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 10, 10)).save(out, kind, **more)
    return out.getvalue()


async def _edit(scene: Scene, n: int, data: bytes) -> str:
    """Start from the picture, and answer how that ended, with the seconds it took."""
    started = time.monotonic()
    files = [(f"picture{n}", data)]
    await scene.slack.mention(scene.alice, scene.channel, f"as number {n}", files=files)
    root = await scene.slack.wait_for_message(
        scene.channel, text="imagines", where=lambda message: f"number {n}" in message.shown_text
    )
    ended = await scene.slack.wait_for_message(
        scene.channel,
        thread_ts=root.ts,
        where=lambda message: bool(message.buttons()),
        timeout=PATIENCE,
    )
    return f"{time.monotonic() - started:.2f} s: {ended.shown_text[:110]}"


async def _image(scene: Scene) -> float:
    started = time.monotonic()
    await scene.slack.slash(scene.bob, scene.channel, "/imagine", "a fox")
    await scene.draft(timeout=PATIENCE)
    return time.monotonic() - started


def _peak(process: BotProcess) -> int:
    """Megabytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
