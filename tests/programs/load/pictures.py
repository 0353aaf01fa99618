"""`python -m tests.programs.load.pictures`: the peak memory of a worker and, apart, of the child
that reads pictures, while files come that unpack to much, photos of phones, and large files; how
each ended; and how late somebody else's image is beside them.

Slack's own word about sizes in pixels is left out, so that the worker has to find out.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from redis.asyncio import Redis

from bot.sandbox.workspace.files import File
from tests.support import bombs, heic
from tests.support.processes import BotProcess
from tests.support.scene import Scene, isolated_world, new_scene

PATIENCE = 240.0
_PAYLOAD = File.payload
_SAME = 8
"""Mentions of one large file."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.load.pictures", description=__doc__
    )
    parser.add_argument("--only", default="", help="a part of the names of the files to send")
    given = parser.parse_args()
    File.payload = _without_dimensions  # type: ignore[assignment,method-assign]
    files = {name: data for name, data in _files() if given.only in name}
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), files))


def _without_dimensions(file: File, *where: Any) -> dict[str, Any]:
    told = _PAYLOAD(file, *where)
    return {name: told[name] for name in told if name not in ("original_w", "original_h")}


def _files() -> Iterator[tuple[str, bytes]]:
    noise = Image.effect_noise((4400, 4400), 60)
    yield "bomb.webp", _saved(Image.new("RGB", (8000, 8000), "red"), "WEBP", lossless=True)
    yield "bomb within.webp", _saved(Image.new("RGBA", (5000, 5000)), "WEBP", lossless=True)
    yield "bomb.png", bombs.png(7000, 7000)
    yield "bomb too large.png", bombs.png(30_000, 30_000)
    yield "frames.gif", _moving("GIF", 1000)
    yield "frames.webp", _moving("WEBP", 50)
    packed = zlib.compress(bytes(300 * 2**20), 9)
    yield "text.png", bombs.with_chunk(b"iTXt", b"a\0\1\0\0\0" + packed)
    yield "profile.png", bombs.with_chunk(b"iCCP", b"a\0\0" + packed)
    yield "exif.png", bombs.with_chunk(b"eXIf", b"II*\0" + b"\xff" * 10**7)
    yield "half.jpg", _saved(noise, "JPEG")[:2_000_000]
    yield "polyglot.jpg", _saved(noise.resize((800, 600)), "JPEG") + b"PK\3\4<script></script>"
    yield "drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    yield "scan.png", _saved(noise.resize((800, 600)), "TIFF")
    yield "photo.jpg", _saved(Image.linear_gradient("L").resize(heic.PHONE), "JPEG", quality=95)
    yield "photo.heic", heic.grid(quarter_turns=3)
    yield "photo 49 MP.png", _saved(Image.linear_gradient("L").resize((7000, 7000)), "PNG")
    yield "large.png", _saved(noise, "PNG")


def _saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    (image if kind in {"PNG", "TIFF"} or image.mode == "RGBA" else image.convert("RGB")).save(
        out, kind, **more
    )
    return out.getvalue()


def _moving(kind: str, frames: int) -> bytes:
    others = [Image.new("L", (500, 500), n % 256) for n in range(frames)]
    return _saved(others[0], kind, save_all=True, append_images=others[1:])


async def _measure(folder: Path, files: dict[str, bytes]) -> None:
    async with isolated_world(folder) as world:
        await world.run("web")
        worker = await world.run("worker", WORKER_CONCURRENCY="20")
        alone = await _image(new_scene(world))
        _say(f"peak of the worker before: {_peak(worker.pid)} MB; an image alone: {alone:.2f} s")
        child = _Child(worker)
        watching = asyncio.create_task(child.watch())
        scene = new_scene(world)
        asking = [_edit(scene, name, [(name, data)]) for name, data in files.items()]
        *ended, beside = await asyncio.gather(*asking, _image(new_scene(world)))
        for line in ended:
            _say(f"- {line}")
        _report(worker, child)
        _say(f"the image beside: {beside:.2f} s")
        if "large.png" in files:
            await _one_file_many_times(scene, files["large.png"], world.redis_url)
            _report(worker, child)
        watching.cancel()


async def _one_file_many_times(scene: Scene, data: bytes, redis_url: str) -> None:
    """Nothing is said for so long that the runs are all under way at once."""
    async with Redis.from_url(redis_url) as redis:
        before = (await redis.info("memory"))["used_memory"]
        said = await scene.slack.say("bob", scene.channel, "look", files=[("large.png", data)])
        (file_id,) = said.message.files
        asking = [_edit(scene, f"again {n}", [], file_id) for n in range(_SAME)]
        await asyncio.gather(*asking)
        used = (await redis.info("memory"))["used_memory"] - before
        pictures = [key async for key in redis.scan_iter("*:picture:*")]
        held = [await redis.memory_usage(key) for key in pictures if file_id.encode() in key]
    _say(
        f"{_SAME} mentions of one file of {len(data):,} bytes: {len(held)} copy of {held} bytes, "
        f"all of Redis {used / 2**20:.1f} MB more, the images made included"
    )


class _Child:
    """The most that any child of the worker ever took, in MB, and how many there were."""

    def __init__(self, worker: BotProcess) -> None:
        self._worker = worker
        self.most = 0
        self.pids: set[int] = set()

    async def watch(self) -> None:
        task = f"/proc/{self._worker.pid}/task/{self._worker.pid}/children"
        while True:
            for pid in map(int, Path(task).read_text().split()):
                self.pids.add(pid)
                self.most = max(self.most, _peak(pid))
            await asyncio.sleep(0.02)


def _report(worker: BotProcess, child: _Child) -> None:
    _say(
        f"peak of the worker: {_peak(worker.pid)} MB; "
        f"of its child: {child.most} MB ({len(child.pids)} in all)"
    )


async def _edit(scene: Scene, name: str, files: list[tuple[str, bytes]], file_id: str = "") -> str:
    """Start from the picture, and answer how that ended, with the seconds it took."""
    started, slack = time.monotonic(), scene.slack
    if file_id:
        shared = {"is_share": True, "files": [slack.workspace.files.describe(file_id)]}
        said = f"<@{slack.bot_user_id}> as {name}"
        await slack.say(scene.alice, scene.channel, said, attachments=[shared])
    else:
        await slack.mention(scene.alice, scene.channel, f"as {name}", files=files)
    root = await slack.wait_for_message(
        scene.channel,
        text="imagines",
        where=lambda message: f"as {name}" in message.shown_text,
        timeout=PATIENCE,
    )
    ended = await slack.wait_for_message(
        scene.channel,
        thread_ts=root.ts,
        where=lambda message: bool(message.buttons()),
        timeout=PATIENCE,
    )
    length = sum(len(data) for _, data in files)
    took = time.monotonic() - started
    return f"{name} ({length:,} bytes) {took:.2f} s: {ended.shown_text[:100]}"


async def _image(scene: Scene) -> float:
    started = time.monotonic()
    await scene.slack.slash(scene.bob, scene.channel, "/imagine", "a fox")
    await scene.draft(timeout=PATIENCE)
    return time.monotonic() - started


def _peak(pid: int | None) -> int:
    """Megabytes; 0 for a process that is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(next(lines, "VmHWM: 0").split()[1]) // 1024


def _say(line: str) -> None:
    sys.stdout.write(line.replace("\n", " ") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
