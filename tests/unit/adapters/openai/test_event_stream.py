from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx2
import pytest
from openai import APIConnectionError, APIError, APITimeoutError, AsyncStream

from bot.adapters.openai.event_stream import LARGE, events_of
from bot.concurrency import SoftLimit

FIRST = {"type": "response.created", "response": {"id": "resp_1", "output": []}}
SECOND = {"type": "x", "items": [{"text": "a\nb ü"}], "sequence_number": 2}


class Response:
    """A response of which these chunks come, and then this error."""

    def __init__(self, chunks: list[bytes], error: Exception | None = None) -> None:
        self.request = httpx2.Request("POST", "http://provider")
        self.read = 0
        self._chunks = chunks
        self._error = error

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            self.read += len(chunk)
            yield chunk
        if self._error:
            raise self._error


class Stream:
    def __init__(self, response: Response) -> None:
        self.response = response


def stream(*chunks: bytes, error: Exception | None = None) -> AsyncStream[Any]:
    return cast("AsyncStream[Any]", Stream(Response(list(chunks), error)))


async def heard(source: AsyncStream[Any], turns: SoftLimit | None = None) -> list[Any]:
    return [event async for event in events_of(source, turns or SoftLimit(1, 30.0))]


def framed(event: Any, end: bytes = b"\n") -> bytes:
    data = json.dumps(event, ensure_ascii=False).encode()
    return b"event: e" + end + b"data: " + data + end + end


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
async def test_events_come_whole_however_they_are_cut(size: int, end: bytes) -> None:
    whole = b": a comment" + end + end + framed(FIRST, end) + framed(SECOND, end)
    first, second = await heard(stream(*(whole[i : i + size] for i in range(0, len(whole), size))))
    assert (first.type, first.response.id, first.response.output) == (FIRST["type"], "resp_1", [])
    assert (second.sequence_number, second.items[0].text) == (2, "a\nb ü")


async def test_data_of_several_lines_is_one_event() -> None:
    (event,) = await heard(stream(b'data: {"type":\ndata:"x"}\n\n'))
    assert event.type == "x"


async def test_an_event_that_is_cut_short_is_none() -> None:
    assert len(await heard(stream(framed(FIRST), b'data: {"type": "x"}\n'))) == 1


async def test_nothing_is_heard_after_done() -> None:
    assert len(await heard(stream(framed(FIRST), b"data: [DONE]\n\n", framed(SECOND)))) == 1


async def test_a_wrapped_error_is_raised_with_its_code() -> None:
    with pytest.raises(APIError) as caught:
        await heard(stream(framed({"type": "error", "error": {"code": "server_error"}})))
    assert caught.value.code == "server_error"


@pytest.mark.parametrize(
    ("error", "raised"),
    [(httpx2.ReadTimeout(""), APITimeoutError), (httpx2.ReadError(""), APIConnectionError)],
)
async def test_a_broken_connection_is_told_as_the_sdk_tells_it(
    error: Exception, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        await heard(stream(framed(FIRST), error=error))


async def test_no_json_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="expected value"):
        await heard(stream(b"data: <html>\n\n"))


async def test_a_large_event_waits_for_its_turn_and_a_small_one_does_not() -> None:
    turns = SoftLimit(1, 30.0)
    large = framed({"type": "x", "result": "A" * 4 * LARGE})
    cut = [large[i : i + 1000] for i in range(0, len(large), 1000)]
    source = stream(*cut)
    async with turns.slot():
        assert len(await heard(stream(framed(FIRST)), turns)) == 1
        waiting = asyncio.create_task(heard(source, turns))
        for _ in range(len(cut) * 3):
            await asyncio.sleep(0)
        held_back = cast("Response", source.response).read
        assert LARGE < held_back < 2 * LARGE
    (event,) = await asyncio.wait_for(waiting, 30.0)
    assert len(event.result) == 4 * LARGE


async def test_who_stops_listening_gives_up_its_turn() -> None:
    turns = SoftLimit(1, 30.0)
    large = framed({"type": "x", "result": "A" * 2 * LARGE})
    cut = [large[i : i + 1000] for i in range(0, len(large), 1000)]
    events = events_of(stream(*cut, framed(FIRST)), turns)
    await anext(events)
    await events.aclose()
    async with asyncio.timeout(5.0), turns.slot():
        pass
