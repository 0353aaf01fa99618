"""TCP proxies that break on demand, one between each process and each thing it talks to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Address = tuple[str, int] | Path
"""A host and port, or a Unix socket."""
_CHUNK = 64 * 1024


@dataclass(eq=False)
class _Pair:
    """A connection of the process and the one behind it. `dead`: it has swallowed something, and
    passes nothing on any more."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    dead: bool = False

    def abort(self) -> None:
        for writer in (self.near, self.far):
            if writer is not None:
                writer.transport.abort()


class Link:
    """`state`: `open`; `refuse`: whoever connects is cut off at once; `silent`: takes all, passes
    nothing on; `delay`: passes everything on late; `lose`: passes requests on and cuts instead of
    passing the answer on."""

    def __init__(self, name: str, to: Address) -> None:
        self.name = name
        self.state = "open"
        self.delay = 0.4
        self.port = 0
        self._to = to
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        """End every connection, without a word."""
        for pair in list(self._pairs):
            pair.abort()

    def heal(self) -> None:
        """Open again. Connections that have swallowed something are ended."""
        self.state = "open"
        for pair in [pair for pair in self._pairs if pair.dead]:
            pair.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = _Pair(writer)
        if self.state == "refuse":
            pair.abort()
            return
        self._pairs.add(pair)
        try:
            await self._join(pair, reader)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            pair.abort()
            self._pairs.discard(pair)

    async def _join(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        far_reader, pair.far = await self._connect()
        pumps = {
            asyncio.create_task(self._pump(pair, reader, pair.far, answers=False)),
            asyncio.create_task(self._pump(pair, far_reader, pair.near, answers=True)),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._to, Path):
            return await asyncio.open_unix_connection(str(self._to))
        return await asyncio.open_connection(*self._to)

    async def _pump(
        self,
        pair: _Pair,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        answers: bool,
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self.state == "delay":
                await asyncio.sleep(self.delay)
            if self.state == "silent" or pair.dead:
                pair.dead = True
                continue
            if self.state == "lose" and answers:
                return
            writer.write(data)
            await writer.drain()
        if pair.far is not None and not pair.dead:
            await _flushed(writer)


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """What was passed on last gets there before the connection is ended."""
    writer.close()
    await writer.wait_closed()
