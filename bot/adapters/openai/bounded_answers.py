"""Answers that are read up to a limit, whatever a server sends and however it is compressed."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx2

LARGEST_IMAGE = 30 * 2**20
"""Bytes of one image file."""
LARGEST_ANSWER = 64 * 2**20
"""Bytes of a JSON answer, or of an event of a stream: base64 takes a third more than the file."""
LARGEST_STREAM = 4 * LARGEST_ANSWER
"""Bytes of a whole stream: three partial images, the image, and the response that repeats it."""
ACCEPT_ENCODING = "gzip, deflate"
_BY_ZLIB = {"gzip", "x-gzip", "deflate"}
_ANY_HEADER = zlib.MAX_WBITS | 32
"""Of gzip or of zlib."""
_AT_ONCE = 2**18

Hook = Callable[[httpx2.Response], Awaitable[None]]


class AnswerTooLarge(httpx2.RequestError):
    """The answer goes beyond the limit, or is compressed in a way that was not offered."""


def limit_answers(limit: int = 0) -> Hook:
    """An `httpx` hook for responses. `limit` is in bytes; without one it depends on whether the
    answer is a stream of events."""

    async def bound(response: httpx2.Response) -> None:
        events = "text/event-stream" in response.headers.get("content-type", "")
        most = limit or (LARGEST_STREAM if events else LARGEST_ANSWER)
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding in _BY_ZLIB:
            del response.headers["content-encoding"]
        elif encoding not in {"", "identity"}:
            raise AnswerTooLarge("an encoding that was not offered", request=response.request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _BoundedStream(response, response.stream, encoding, most)

    return bound


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(
        self, response: httpx2.Response, inner: httpx2.AsyncByteStream, encoding: str, limit: int
    ) -> None:
        self._request = response.request
        self._inner = inner
        self._inflater = zlib.decompressobj(_ANY_HEADER) if encoding in _BY_ZLIB else None
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for chunk in self._inner:
            for piece in self._pieces(chunk):
                count += len(piece)
                if count > self._limit:
                    raise AnswerTooLarge("the answer is too large", request=self._request)
                yield piece

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The chunk, or what it unpacks to, never much at once."""
        if self._inflater is None:
            yield chunk
            return
        try:
            while chunk:
                yield self._inflater.decompress(chunk, _AT_ONCE)
                chunk = self._inflater.unconsumed_tail
        except zlib.error as error:
            raise httpx2.DecodingError(str(error), request=self._request) from None

    async def aclose(self) -> None:
        await self._inner.aclose()
