"""The event stream of one response, read so that an image of megabytes costs little.

The SDK's own reader searches every byte for three kinds of line ends and makes a model of each
event: several times the time of all else that is done with an image. Here an event becomes plain
objects whose attributes are the fields that it came with. `jiter`, the SDK's own parser, takes a
ninth of the time of `json` for such an event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx2
import jiter
from openai import APIConnectionError, APIError, APITimeoutError, AsyncStream

from bot.adapters.openai.bounded_answers import LARGEST_ANSWER, AnswerTooLarge
from bot.adapters.openai.response_state import ResponseState
from bot.concurrency import SoftLimit
from bot.domain.failures import FailureKind
from bot.ports import Checkpoint

logger = logging.getLogger(__name__)

LARGE = 200_000
"""Bytes of one event beyond which it has to wait for its turn to be read. Meanwhile the rest of it
stays where it is: at the provider, and in the network's own buffers."""
READ_AT_ONCE = 6
WAIT_FOR_TURN = 5.0
"""Seconds."""
SILENCE = 60.0
"""Seconds without an event after which the stream of a background response counts as dead: it
can be opened again. Any other stream has the whole time of the attempt."""
LINGER = 5.0
"""Seconds to wait for the end of a stream that has brought its image already."""


def reading_limit() -> SoftLimit:
    """The limit that all streams of a process share."""
    return SoftLimit(READ_AT_ONCE, WAIT_FOR_TURN)


async def read_stream(
    stream: AsyncStream[Any],
    state: ResponseState,
    limit: SoftLimit,
    checkpoint: Checkpoint | None = None,
) -> FailureKind:
    """Take the stream's events until nothing more is needed or the stream ends, however that
    happens. The `checkpoint` is told the response id as soon as it is known. Returns what the end
    of the stream counts as if nothing more is learnt."""
    content_type = stream.response.headers.get("content-type", "")
    if "text/html" in content_type:
        return FailureKind.WRONG_ROUTE
    try:
        if "application/json" in content_type:
            await _take_in_one_piece(stream.response, state, checkpoint)
            return FailureKind.STREAM_ENDED
        async with aclosing(events_of(stream, limit)) as events:
            # The last event of a response repeats its image in full, and tells what is paid.
            while not state.ended:
                silence = SILENCE if state.in_background else None
                async with asyncio.timeout(LINGER if state.result else silence):
                    event = await anext(events, None)
                if event is None:
                    return FailureKind.STREAM_ENDED
                state.take_event(event)
                del event
                if checkpoint is not None:
                    await record_id(state, checkpoint)
    except TimeoutError:
        return FailureKind.TIMED_OUT
    except (APIConnectionError, ValueError) as error:  # dropped, or cut in the middle of an event
        large = isinstance(error.__cause__, AnswerTooLarge)
        return FailureKind.BAD_IMAGE if large else FailureKind.PROVIDER_DOWN
    except APIError as error:  # an error event whose error is nested
        state.fail(error.body)
    return FailureKind.STREAM_ENDED


async def _take_in_one_piece(
    response: httpx2.Response, state: ResponseState, checkpoint: Checkpoint | None
) -> None:
    """Some servers answer without a stream, whatever they are asked for."""
    try:
        data = await response.aread()
    except httpx2.RequestError as error:
        raise APIConnectionError(request=response.request) from error
    state.take_answer(_plain(jiter.from_json(data)))
    if checkpoint is not None:
        await record_id(state, checkpoint)


async def record_id(state: ResponseState, checkpoint: Checkpoint) -> None:
    """Tell the checkpoint the response id, once. An id that cannot be recorded must not cost the
    image that is being paid for."""
    if not state.id or state.id_recorded:
        return
    state.id_recorded = True
    try:
        await checkpoint.response_started(state.id)
    except Exception as error:  # noqa: BLE001 - any failure of the checkpoint
        logger.warning("response %s was not recorded: %s", state.id, type(error).__name__)


async def events_of(stream: AsyncStream[Any], limit: SoftLimit) -> AsyncGenerator[Any, None]:
    """The events. A large one takes a slot of the `limit` while it is read, and gives it up when
    the next event is asked for.

    Raises what iterating over the stream would: `APIConnectionError` where it breaks off,
    `APIError` for an event that wraps an error, `ValueError` for data that is no JSON.
    """
    response, parser = stream.response, EventParser()
    try:
        async with AsyncExitStack() as slot:
            may_wait = True
            async for chunk in response.aiter_bytes():
                for data in parser.feed(chunk):
                    if data.startswith(b"[DONE]"):
                        return
                    fields = jiter.from_json(data)
                    if isinstance(fields, dict) and (body := fields.get("error")):
                        raise APIError("error event", request=response.request, body=body)
                    yield _plain(fields)
                    del data, fields
                    await slot.aclose()
                    may_wait = True
                if parser.size > LARGEST_ANSWER:
                    raise AnswerTooLarge("an event is too large", request=response.request)
                if may_wait and parser.size > LARGE:
                    may_wait = False
                    await slot.enter_async_context(limit.slot())
    except httpx2.TimeoutException as error:
        raise APITimeoutError(request=response.request) from error
    except httpx2.RequestError as error:
        raise APIConnectionError(request=response.request) from error


def _plain(value: Any) -> Any:
    """JSON objects as plain objects with attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _plain(field) for name, field in value.items()})
    return [_plain(each) for each in value] if isinstance(value, list) else value


@dataclass
class EventParser:
    """Server-sent events from bytes, by lines that end in LF or CRLF. What came is kept in the
    pieces in which it came, and joined once. `size`: bytes of the event that is not complete
    yet."""

    size: int = 0
    _line: list[bytes] = field(default_factory=list)
    _data: list[bytes] = field(default_factory=list)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take more bytes, and yield the data of each event that they complete."""
        self.size += len(chunk)
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            if start < end:
                self._line.append(chunk[start:end])
            start = end + 1
            if data := self._end_line():
                self.size = len(chunk) - start
                yield data
        if start < len(chunk):
            self._line.append(chunk[start:])

    def _end_line(self) -> bytes:
        """The data of the event that this line ends, empty where it ends none."""
        line, self._line = self._line, []
        if line and line[-1].endswith(b"\r"):
            line[-1] = line[-1][:-1]
        if not any(line):
            data, self._data = self._data, []
            return data[0] if len(data) == 1 else b"\n".join(data)
        if len(line[0]) < len(b"data: "):
            line = [b"".join(line)]
        if line[0].startswith(b"data:"):
            start = 6 if line[0][5:6] == b" " else 5
            self._data.append(b"".join([line[0][start:], *line[1:]]))
        return b""
