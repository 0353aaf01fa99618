"""The events of a stream, read so that an image of megabytes costs little.

The SDK's own reader searches every byte for three kinds of line ends and makes a model of each
event: several times the time of all else that is done with an image. In here an event becomes plain
objects whose attributes are the fields that it came with. `jiter`, the SDK's own parser, takes a
ninth of the time of `json` for such an event.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from types import SimpleNamespace
from typing import Any

import httpx2
import jiter
from openai import APIConnectionError, APIError, APITimeoutError, AsyncStream

from bot.concurrency import SoftLimit

LARGE = 200_000
"""Bytes of one event from which on it has to wait for its turn to be read. Meanwhile the rest of it
stays where it is: at the provider, and in the network's own buffers."""
READ_AT_ONCE = 6
WAIT_FOR_TURN = 5.0
"""Seconds."""


def reading_limit() -> SoftLimit:
    """For all streams of a process."""
    return SoftLimit(READ_AT_ONCE, WAIT_FOR_TURN)


async def events_of(stream: AsyncStream[Any], limit: SoftLimit) -> AsyncGenerator[Any, None]:
    """Raises what iterating over the stream would: `APIConnectionError` where it breaks off,
    `APIError` for an event that wraps an error, `ValueError` for what is no JSON."""
    response = stream.response
    try:
        async with aclosing(_payloads(response.aiter_bytes(), limit)) as payloads:
            async for payload in payloads:
                if payload.startswith(b"[DONE]"):
                    return
                yield _event(jiter.from_json(payload), response.request)
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


async def _payloads(chunks: AsyncIterator[bytes], limit: SoftLimit) -> AsyncGenerator[bytes, None]:
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
                await turn.enter_async_context(limit.slot())


class _Events:
    """Server-sent events from bytes, by lines that end in LF or CRLF. What came is kept in the
    pieces in which it came, and put together once. `size`: bytes of the event that is not complete
    yet."""

    def __init__(self) -> None:
        self.size = 0
        self._line: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take more, and answer the data of the events that are complete by now."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._keep(chunk[start:end])
            start = end + 1
            line, self._line = self._line, []
            if payload := self._take(line):
                self.size = 0
                yield payload
        self._keep(chunk[start:])

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._line.append(piece)
            self.size += len(piece)

    def _take(self, line: list[bytes]) -> bytes:
        """The data of the event that this line ends, if it does."""
        if line and line[-1].endswith(b"\r"):
            line[-1] = line[-1][:-1]
        data = _data_of(line)
        if data is not None:
            self._data.append(data)
        if any(line) or not self._data:
            return b""
        payloads, self._data = self._data, []
        return payloads[0] if len(payloads) == 1 else b"\n".join(payloads)


def _data_of(line: list[bytes]) -> bytes | None:
    if line and len(line[0]) < len(b"data: "):
        line = [b"".join(line)]
    if not (line and line[0].startswith(b"data:")):
        return None
    start = 6 if line[0][5:6] == b" " else 5
    return b"".join([line[0][start:], *line[1:]])
