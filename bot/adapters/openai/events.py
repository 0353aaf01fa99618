"""The events of a stream, read so that an image of megabytes costs little.

The SDK's own reader searches every byte for three kinds of line ends and makes a model of each
event: several times the time of all else that is done with an image. In here an event becomes plain
objects whose attributes are the fields that it came with.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from types import SimpleNamespace
from typing import Any

import httpx2
from openai import APIConnectionError, APIError, APITimeoutError, AsyncStream

from bot.turns import Turns

LARGE = 200_000
"""Bytes of one event from which on it has to wait for its turn to be read. Meanwhile the rest of it
stays where it is: at the provider, and in the network's own buffers."""
READ_AT_ONCE = 6
WAIT_FOR_TURN = 5.0
"""Seconds."""


def reading_turns() -> Turns:
    """For all streams of a process."""
    return Turns(READ_AT_ONCE, WAIT_FOR_TURN)


async def events_of(stream: AsyncStream[Any], turns: Turns) -> AsyncGenerator[Any, None]:
    """Raises what iterating over the stream would: `APIConnectionError` where it breaks off,
    `APIError` for an event that wraps an error, `ValueError` for what is no JSON."""
    response = stream.response
    try:
        async with aclosing(_payloads(response.aiter_bytes(), turns)) as payloads:
            async for payload in payloads:
                if payload.startswith(b"[DONE]"):
                    return
                yield _event(json.loads(payload), response.request)
    except httpx2.TimeoutException as error:
        raise APITimeoutError(request=response.request) from error
    except httpx2.RequestError as error:
        raise APIConnectionError(request=response.request) from error


def _event(fields: Any, request: httpx2.Request) -> Any:
    wrapped = fields.get("error") if isinstance(fields, dict) else None
    if wrapped:
        raise APIError("an error came in the stream", request=request, body=wrapped)
    return _plain(fields)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _plain(field) for name, field in value.items()})
    return [_plain(each) for each in value] if isinstance(value, list) else value


async def _payloads(chunks: AsyncIterator[bytes], turns: Turns) -> AsyncGenerator[bytearray, None]:
    """The data of each event. One that has a turn gives it up when the next is asked for."""
    lines = _Events()
    async with AsyncExitStack() as turn:
        waiting = True
        async for chunk in chunks:
            for payload in lines.feed(chunk):
                yield payload
                del payload
                await turn.aclose()
                waiting = True
            if waiting and lines.size > LARGE:
                waiting = False
                await turn.enter_async_context(turns.one())


class _Events:
    """Server-sent events from bytes, by lines that end in LF or CRLF."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytearray] = []

    @property
    def size(self) -> int:
        """Bytes of the event that is not complete yet."""
        return len(self._line) + sum(map(len, self._data))

    def feed(self, chunk: bytes) -> Iterator[bytearray]:
        """Take more, and answer the data of the events that are complete by now."""
        view, start = memoryview(chunk), 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._line += view[start:end]
            start = end + 1
            line, self._line = self._line, bytearray()
            if payload := self._take(line):
                yield payload
        self._line += view[start:]

    def _take(self, line: bytearray) -> bytearray | None:
        if line.endswith(b"\r"):
            del line[-1:]
        if line.startswith(b"data:"):
            del line[: 6 if line[5:6] == b" " else 5]
            self._data.append(line)
        if line or not self._data:
            return None
        payloads, self._data = self._data, []
        return payloads[0] if len(payloads) == 1 else bytearray(b"\n").join(payloads)
