"""`PictureReader`: the worker's side of the child process that reads pictures."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage

log = logging.getLogger(__name__)

READ_WITHIN = 40.0
"""Seconds for one picture: a HEIC of 48 megapixels takes about 4 on an idle machine."""
START_WITHIN = 30.0
MOST_READ = 100
"""Pictures for one child: decoders may leak."""
_LONGEST_ANSWER = 32 * 2**20
"""Bytes. What a child says is believed only so far: a picture may have taken it over."""
_CHUNK = 256 * 1024
_ROOT = Path(__file__).parents[3]
"""Where `bot` is imported from."""
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")

_CHILD_BROKE = (TimeoutError, OSError, EOFError, ValueError, TypeError, KeyError)
"""The errors of a child that died, hangs, or sends no valid answer."""


class PictureReader:
    """Reads one picture at a time. `module` is the child's."""

    def __init__(self, module: str = "bot.adapters.pictures.child") -> None:
        self._module = module
        self._turn = asyncio.Lock()
        self._child: _Child | None = None
        self._ended: list[_Child] = []

    @property
    def child_pid(self) -> int | None:
        """The process that reads, or waits for the next picture."""
        return self._child.process.pid if self._child else None

    async def read(
        self, data: bytes | bytearray, on_reading: Callable[[], Awaitable[None]] | None = None
    ) -> BaseImage:
        """The picture upright, without metadata, no larger than models take it, as PNG, JPEG or
        WebP. `on_reading` is awaited before the child gets the file. Raises `GenerationError`, and
        what `on_reading` raises. A caller that is cancelled ends the child."""
        if not data:  # which would only ask whether the child is there
            raise GenerationError(FailureKind.SOURCE_UNREADABLE)
        async with self._turn:
            child = await self._living_child()
            if on_reading is not None:
                await on_reading()
            try:
                async with asyncio.timeout(READ_WITHIN):
                    told, body = await child.ask(data)
                return _picture(told, body)
            except GenerationError as refused:
                if refused.kind is FailureKind.SOURCE_TOO_DEMANDING:
                    self._end_child()
                raise
            except _CHILD_BROKE as error:
                self._end_child()
                log.warning("a picture was not read to its end: %s", type(error).__name__)
                raise GenerationError(FailureKind.SOURCE_TOO_DEMANDING) from None
            except BaseException:
                self._end_child()
                raise

    async def close(self) -> None:
        """End the child, whatever it reads."""
        self._end_child()
        for child in self._ended:
            await child.process.wait()

    async def _living_child(self) -> _Child:
        """The child, which has just answered. Raises `GenerationError(INTERNAL)` where none can be
        started."""
        if self._child is not None:
            with suppress(*_CHILD_BROKE):
                async with asyncio.timeout(START_WITHIN):
                    if self._child.asked < MOST_READ and (await self._child.ask(b""))[0] == {}:
                        return self._child
            self._end_child()
        try:
            async with asyncio.timeout(START_WITHIN):
                self._child = _Child(await _start(self._module))
                told, _ = await self._child.answer()
        except _CHILD_BROKE as error:
            told = {"failure": type(error).__name__}
        except BaseException:
            self._end_child()
            raise
        if told or self._child is None:
            self._end_child()
            log.error("the process that reads pictures does not start: %s", told.get("failure"))
            raise GenerationError(FailureKind.INTERNAL)
        return self._child

    def _end_child(self) -> None:
        self._ended = [child for child in self._ended if child.process.returncode is None]
        if self._child is not None:
            self._child.kill()
            self._ended.append(self._child)
            self._child = None


class _Child:
    """A child process, and how many pictures it was asked to read."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.asked = 0

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()

    async def ask(self, data: bytes | bytearray) -> tuple[dict[str, Any], bytes]:
        """The answer, and its bytes. The file is written in pieces, so that it is not copied."""
        self.asked += bool(data)
        assert self.process.stdin  # noqa: S101 - it was started with pipes
        self.process.stdin.write(struct.pack(">I", len(data)))
        view = memoryview(data)
        for at in range(0, len(data), _CHUNK):
            self.process.stdin.write(view[at : at + _CHUNK])
            await self.process.stdin.drain()
        return await self.answer()

    async def answer(self) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdout  # noqa: S101 - it was started with pipes
        line = await self.process.stdout.readline()
        if not line:
            raise EOFError
        told: dict[str, Any] = json.loads(line)
        length = int(told.pop("length"))
        if not 0 <= length <= _LONGEST_ANSWER:
            raise ValueError
        return told, await self.process.stdout.readexactly(length)


async def _start(module: str) -> Process:
    """In a session of its own, so that a Ctrl-C is for the worker alone. One arena for all threads:
    each would reserve much address space."""
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment |= {"PYTHONPATH": os.pathsep.join(paths), "MALLOC_ARENA_MAX": "1"}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        str(os.getpid()),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=environment,
        start_new_session=True,
    )


def _picture(told: dict[str, Any], body: bytes) -> BaseImage:
    """Raises `GenerationError` where it was not read, `ValueError` where that is no answer."""
    if failure := told.get("failure"):
        raise GenerationError(FailureKind(failure))
    width, height = int(told["width"]), int(told["height"])
    if not body or width < 1 or height < 1:
        raise ValueError
    return BaseImage(body, str(told["mime_type"]), width=width, height=height)
