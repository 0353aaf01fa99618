"""The child process that reads pictures: what ends it, and that nothing else ends with it."""

from __future__ import annotations

import asyncio
import io
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from bot.adapters.pictures import PictureReader, child, reader
from bot.domain.errors import ReadElsewhere
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage
from tests.fakes import eventually
from tests.support import bombs, heic
from tests.support import fragile_child as fragile
from tests.support.samples import png

FRAGILE = "tests.support.fragile_child"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
async def pictures() -> AsyncIterator[PictureReader]:
    made = PictureReader(FRAGILE)
    yield made
    await made.close()


async def refused(pictures: PictureReader, data: bytes) -> FailureKind:
    with pytest.raises(GenerationError) as error:
        await pictures.read(data)
    return error.value.kind


def lives(pid: int | None) -> bool:
    """Whether there is such a process, but for one that has ended and was not waited for."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def test_one_child_reads_all_pictures() -> None:
    pictures = PictureReader()
    first = await pictures.read(png(40, 30))
    assert (first.mime_type, first.width, first.height) == ("image/png", 40, 30)
    pid = pictures.child_pid
    assert await refused(pictures, b"no picture") is FailureKind.SOURCE_TYPE
    assert await refused(pictures, png()[:40]) is FailureKind.SOURCE_UNREADABLE
    assert await refused(pictures, b"") is FailureKind.SOURCE_UNREADABLE
    assert await refused(pictures, bombs.png()) is FailureKind.SOURCE_TOO_MANY_PIXELS
    assert (await pictures.read(bytearray(heic.grid(600, 400)))).width == 600
    assert pictures.child_pid == pid
    await pictures.close()


@pytest.mark.parametrize(
    "deadly",
    [fragile.KILLED, fragile.SEGFAULT, fragile.EXITS, fragile.GREEDY, fragile.LIES],
    ids=["killed", "segfault", "exits", "greedy", "lies"],
)
async def test_a_child_that_dies_fails_its_picture_alone(
    pictures: PictureReader, deadly: tuple[int, int]
) -> None:
    await pictures.read(png())
    pid = pictures.child_pid
    waiting = asyncio.gather(refused(pictures, png(*deadly)), pictures.read(png(40, 30)))
    kind, read = await waiting
    assert kind is FailureKind.SOURCE_TOO_DEMANDING
    assert read.width == 40
    assert pictures.child_pid not in (pid, None)


async def test_a_picture_that_takes_too_long_is_given_up(
    pictures: PictureReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "READ_WITHIN", 0.3)
    assert await refused(pictures, png(*fragile.HANGS)) is FailureKind.SOURCE_TOO_DEMANDING
    monkeypatch.undo()
    assert (await pictures.read(png(40, 30))).width == 40


async def test_what_a_library_prints_is_no_answer(pictures: PictureReader) -> None:
    assert (await pictures.read(png(*fragile.PRINTS))).width == fragile.PRINTS[0]


async def test_a_child_that_died_between_two_pictures_costs_none(pictures: PictureReader) -> None:
    await pictures.read(png())
    assert pictures.child_pid
    os.kill(pictures.child_pid, signal.SIGKILL)
    assert (await pictures.read(png(40, 30))).width == 40


async def test_a_child_is_replaced_after_many_pictures(
    pictures: PictureReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_READ", 2)
    pids = []
    for _ in range(4):
        await pictures.read(png())
        pids.append(pictures.child_pid)
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_one_picture_is_read_at_a_time(pictures: PictureReader) -> None:
    begun: list[str] = []
    go_on = asyncio.Event()

    async def first() -> None:
        begun.append("first")
        await go_on.wait()

    async def second() -> None:
        begun.append("second")

    reading = asyncio.gather(pictures.read(png(), first), pictures.read(png(), second))
    await eventually(lambda: begun == ["first"])
    go_on.set()
    await reading
    assert begun == ["first", "second"]


async def test_where_another_run_reads_it_the_child_does_not(pictures: PictureReader) -> None:
    async def elsewhere() -> None:
        raise ReadElsewhere

    with pytest.raises(ReadElsewhere):
        await pictures.read(png(*fragile.KILLED), elsewhere)
    pid = pictures.child_pid
    await pictures.read(png())
    assert pictures.child_pid == pid


async def test_who_is_cancelled_ends_the_child(pictures: PictureReader) -> None:
    begun = asyncio.Event()

    async def on_reading() -> None:
        begun.set()

    reading = asyncio.create_task(pictures.read(png(*fragile.HANGS), on_reading))
    await begun.wait()
    pid = pictures.child_pid
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert pictures.child_pid is None
    await eventually(lambda: not lives(pid))
    assert (await pictures.read(png(40, 30))).width == 40


async def test_closing_ends_the_child() -> None:
    pictures = PictureReader()
    await pictures.close()
    await pictures.read(png())
    pid = pictures.child_pid
    await pictures.close()
    assert not lives(pid)


@pytest.mark.parametrize("module", ["tests.support.no_such_module", "bot.domain.errors", "json"])
async def test_a_child_that_does_not_start_is_our_own_failure(
    module: str, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = PictureReader(module)
    assert await refused(pictures, png()) is FailureKind.INTERNAL
    assert "does not start" in caplog.text
    await pictures.close()


# its limits


@linux
async def test_the_child_has_a_limit_and_no_secret(
    pictures: PictureReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    await pictures.read(png())
    process = Path(f"/proc/{pictures.child_pid}")
    limits = process.joinpath("limits").read_text().splitlines()
    (memory,) = (line.split() for line in limits if line.startswith("Max address space"))
    assert memory[3:5] == [str(child.MEMORY)] * 2
    assert b"xoxb" not in process.joinpath("environ").read_bytes()
    assert process.joinpath("oom_score_adj").read_text() == "1000\n"
    assert os.getsid(pictures.child_pid or 0) == pictures.child_pid


_WORKER = """
import asyncio, sys
from bot.adapters.pictures import PictureReader
from tests.support.samples import png

async def main():
    pictures = PictureReader("tests.support.fragile_child")
    await pictures.read(png())
    print(pictures.child_pid, flush=True)
    await pictures.read(png({width}, 11))

asyncio.run(main())
"""


@linux
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
async def test_the_child_ends_with_the_worker_however_that_ends(ending: signal.Signals) -> None:
    """Also in the middle of a picture."""
    code = _WORKER.format(width=fragile.HANGS[0])
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[4]
    )
    assert worker.stdout
    pid = int(await worker.stdout.readline())
    assert lives(pid)
    worker.send_signal(ending)
    await worker.wait()
    await eventually(lambda: not lives(pid))


def test_the_child_ends_with_its_input() -> None:
    """As where the system does not tell it that its parent died."""
    answers = io.BytesIO()
    request = len(png()).to_bytes(4) + png()
    for cut_off in (b"", b"\0\0", request[:-1]):
        child.serve(io.BytesIO(request + bytes(4) + cut_off), answers, lambda data: READ)
    assert answers.getvalue().count(b"image/png") == 3


READ = BaseImage(b"x", "image/png", width=1, height=1)


def test_after_a_greedy_picture_the_child_ends() -> None:
    def greedy(data: bytes) -> BaseImage:
        raise MemoryError

    requests, answers = io.BytesIO(b"\0\0\0\1x" * 2), io.BytesIO()
    child.serve(requests, answers, greedy)
    assert answers.getvalue().count(b"source_too_demanding") == 1


@pytest.mark.parametrize("megapixels", [48])
async def test_a_phones_photo_passes(pictures: PictureReader, megapixels: int) -> None:
    """As JPEG and as HEIC, within the child's memory."""
    out = io.BytesIO()
    Image.new("RGB", heic.PHONE, "red").save(out, "JPEG", quality=50)
    for data in (out.getvalue(), heic.grid()):
        began = time.monotonic()
        read = await pictures.read(data)
        assert read.width * read.height > 8_000_000
        assert time.monotonic() - began < reader.READ_WITHIN


def test_elsewhere_than_on_linux_an_address_space_is_not_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(resource, "setrlimit", lambda what, _: asked.append(what))
    child.limit_process(1)
    assert asked == [resource.RLIMIT_CORE]
