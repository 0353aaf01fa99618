"""Processes from the fork server, used as those of `asyncio.create_subprocess_exec` are."""

from __future__ import annotations

import array
import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_READ_BY_IMPORTS = ("OTEL_PROPAGATORS", "OTEL_PYTHON_CONTEXT")
"""Settings that libraries read while they are imported."""
_AT_ONCE = 64 * 1024


class ForkedProcess:
    """Like `asyncio.subprocess.Process`."""

    def __init__(
        self, pid: int, output: asyncio.StreamReader, status: asyncio.StreamReader
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = output
        self._ended = asyncio.create_task(self._read_status(status))

    async def _read_status(self, status: asyncio.StreamReader) -> int:
        self.returncode = _number(await status.readexactly(array.array("i").itemsize))
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def start(
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str],
    forked: bool = True,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: bool = False,
    new_session: bool = False,
) -> ForkedProcess | Process:
    """Run `python -m` with these arguments, forked where that makes no difference. It reads from
    the file `stdin`. What it writes to stderr, and to stdout if asked for, is read from `stderr or
    stdout`."""
    if forked and _same_imports(environment):
        return await fork(
            _server(), arguments, folder, environment,
            stdin=stdin, stdout=stdout, new_session=new_session,
        )  # fmt: skip
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "default", "-m", *arguments),
        cwd=folder,
        env=environment,
        start_new_session=new_session,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE if stdout else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.STDOUT if stdout else asyncio.subprocess.PIPE,
    )


def _same_imports(environment: Mapping[str, str]) -> bool:
    """Whether the fork server has imported what a process with this environment would."""
    here = environment.get("PYTHONPATH") == str(ROOT)
    read = any(name.startswith(_READ_BY_IMPORTS) for name in environment)
    return sys.platform == "linux" and here and not read


async def fork(
    server: socket.socket,
    arguments: tuple[str, ...],
    folder: Path,
    environment: Mapping[str, str],
    *,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: bool = False,
    new_session: bool = False,
) -> ForkedProcess:
    request = json.dumps(
        {
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
            "new_session": new_session,
        }
    ).encode()
    read_output, write_output = os.pipe()
    read_status, write_status = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    read_from = nothing if stdin == asyncio.subprocess.DEVNULL else stdin
    write_to = write_output if stdout else nothing
    socket.send_fds(server, [request], [read_from, write_to, write_output, write_status])
    for fd in (nothing, write_output, write_status):
        os.close(fd)
    output, status = _reader(read_output), _reader(read_status)
    pid = _number(await status.readexactly(array.array("i").itemsize))
    return ForkedProcess(pid, output, status)


def _number(written: bytes) -> int:
    return array.array("i", written)[0]


def _reader(fd: int) -> asyncio.StreamReader:
    """What comes through a pipe, which is closed at its end."""
    reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()

    def read() -> None:
        if data := os.read(fd, _AT_ONCE):
            reader.feed_data(data)
        else:
            loop.remove_reader(fd)
            os.close(fd)
            reader.feed_eof()

    loop.add_reader(fd, read)
    return reader


@cache
def _server() -> socket.socket:
    """One for all tests of this process; it ends, and all that was forked from it, when its socket
    is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1024 * 1024)
    process = subprocess.Popen(
        [
            *(sys.executable, "-u", "-W", "default", "-m", "tests.support.fork_server"),
            str(theirs.fileno()),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()

    def end_server() -> None:
        ours.close()
        process.wait()

    atexit.register(end_server)
    return ours
