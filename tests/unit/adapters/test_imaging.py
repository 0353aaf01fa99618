"""Pictures are opened within bounds."""

from __future__ import annotations

import asyncio
import resource
import threading
from collections.abc import Awaitable, Callable

import pytest

from bot.adapters.imaging import SerialExecutor, TooManyPixels, open_image
from bot.adapters.openai.image_files import decode_image, file_of
from bot.adapters.placeholder import PlaceholderBackend
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, ImageRequest
from tests.fakes import FakeCheckpoint
from tests.support import bombs

ALL = ("PNG", "JPEG", "GIF", "WEBP")


def resident() -> int:
    """The most memory that this process ever had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.parametrize("name", bombs.HEADERS)
def test_the_header_decides_before_anything_is_unpacked(name: str) -> None:
    before = resident()
    with pytest.raises(TooManyPixels), open_image(bombs.HEADERS[name], ALL):
        pass
    assert resident() - before < 30


@pytest.mark.parametrize("name", bombs.HEADERS)
async def test_nobody_opens_more_pixels_than_that(name: str) -> None:
    data = bombs.HEADERS[name]
    with pytest.raises(GenerationError) as edited:
        await file_of(BaseImage(data))
    assert edited.value.kind is FailureKind.SOURCE_TOO_MANY_PIXELS
    with pytest.raises(GenerationError) as provided:
        await decode_image(data)
    assert provided.value.kind is FailureKind.BAD_IMAGE
    with pytest.raises(GenerationError) as placeheld:
        await _placeholder(data)
    assert placeheld.value.kind is FailureKind.SOURCE_TOO_MANY_PIXELS


async def _placeholder(data: bytes) -> None:
    request = ImageRequest("", base=BaseImage(data), change="night")
    await PlaceholderBackend(size="64x64", delay=0).generate(request, FakeCheckpoint())


@pytest.mark.parametrize("pixels", [95_000_000, 200_000_000])
def test_pillows_own_limits_are_never_met(pixels: int) -> None:
    """It would warn of the first, and raise at the second."""
    with pytest.raises(TooManyPixels), open_image(bombs.png(10_000, pixels // 10_000, b"x"), ALL):
        pass


# one at a time


async def test_one_piece_is_done_at_a_time_and_the_others_wait() -> None:
    one, running, most = SerialExecutor(), 0, 0
    lock, go_on = threading.Lock(), threading.Event()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go_on.wait(0.02)
        with lock:
            running -= 1

    await asyncio.gather(*(one.run(work) for _ in range(5)))
    assert most == 1


async def test_what_is_cancelled_keeps_its_turn_to_its_end() -> None:
    one, go_on, order = SerialExecutor(), threading.Event(), []
    begun = asyncio.Event()

    async def on_turn() -> None:
        begun.set()

    def slow() -> None:
        go_on.wait(10)
        order.append("slow")

    first = asyncio.create_task(one.run(slow, on_turn))
    await begun.wait()
    await asyncio.sleep(0)
    second = asyncio.create_task(one.run(lambda: order.append("quick")))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not second.done()
    go_on.set()
    await second
    assert order == ["slow", "quick"]


@pytest.mark.parametrize("broken", [ValueError, asyncio.CancelledError])
async def test_a_turn_is_given_back_whatever_happens(broken: type[BaseException]) -> None:
    one = SerialExecutor()

    async def breaks() -> None:
        raise broken

    def fails() -> None:
        raise ValueError

    with pytest.raises(broken):
        await one.run(lambda: None, breaks)
    with pytest.raises(ValueError, match=r"^$"):
        await one.run(fails)
    assert await one.run(lambda: 7) == 7


async def test_the_turn_has_come_when_it_is_told() -> None:
    one, told, go_on = SerialExecutor(), [], threading.Event()

    def telling(name: str) -> Callable[[], Awaitable[None]]:
        async def on_turn() -> None:
            told.append(name)

        return on_turn

    first = asyncio.create_task(one.run(lambda: go_on.wait(10), telling("first")))
    second = asyncio.create_task(one.run(lambda: True, telling("second")))
    await asyncio.sleep(0.05)
    assert told == ["first"]
    go_on.set()
    assert [await first, await second] == [True, True]
    assert told == ["first", "second"]
