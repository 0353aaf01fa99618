"""`python -m bot demo` as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.sandbox import PATIENCE, SimulatedSlack, WorkspaceStorage
from tests.support.forked import ROOT, ForkedProcess, start
from tests.support.processes import free_port

QUICK = {"PLACEHOLDER_DELAY": "0.3", "IMAGE_SIZE": "816x816"}
"""For a demo whose tests do not look at what happens while an image is made. No image that may be
asked for has fewer pixels."""
_CLEARED = (
    *("SLACK_", "OPENAI_", "IMAGE_", "PLACEHOLDER_", "REDIS_", "JOB_"),
    *("DISPLAY", "WAYLAND_DISPLAY", "PYTHONDONTWRITE"),
)


_DEMO = ("bot", "demo")
_FORKED = ("tests.browser.forked_demo",) if sys.platform == "linux" else _DEMO


class DemoProcess:
    """The demo on a port that stays the same when it is started again."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.port = free_port()
        self.output = ""
        self._folder = folder
        self._options = options
        self._environment = environment
        self._process: Process | ForkedProcess | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> Self:
        await self.launch()
        await self.says("Ctrl-C ends")
        return self

    async def launch(self, *, stdin: int = DEVNULL, forked: bool = True) -> None:
        """Start the process; nothing is waited for. Not forked, it is as people start it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_CLEARED)}
        options = ("--no-browser", "--port", str(self.port), *self._options)
        self.output = ""
        environment = {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self._process = await start(
            *(*(_FORKED if forked else _DEMO), *options),
            folder=self._folder,
            environment={**environment, **self._environment},
            forked=forked,
            stdin=stdin,
            stdout=True,
            new_session=True,
        )
        self._reading = asyncio.create_task(self._read())

    async def says(self, words: str) -> None:
        """Wait until it has written this."""
        assert self._reading is not None
        async with asyncio.timeout(2 * PATIENCE):
            while words not in self.output:
                assert not self._reading.done(), self.output
                await asyncio.sleep(0.02)

    async def ended(self) -> int:
        """Wait for its end by itself, and answer the exit code."""
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(2 * PATIENCE):
            code = await self._process.wait()
            await self._reading
        return code

    async def stop(self, number: int = signal.SIGINT) -> int:
        """End it as Ctrl-C in a terminal does, and answer the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            os.killpg(self._process.pid, number)
        return await self.ended()

    async def bot_pid(self) -> int:
        """The process of the bot under the demo."""
        assert self._process is not None
        async with asyncio.timeout(PATIENCE):
            while not (found := _bots_under(self._process.pid)):
                await asyncio.sleep(0.05)
        return found[0]

    async def _read(self) -> None:
        assert self._process is not None
        output = self._process.stderr or self._process.stdout
        assert output is not None
        async for line in output:
            self.output += line.decode(errors="replace")

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        sys.stderr.write(self.output)


class FurnishedDemo(DemoProcess):
    """A demo that keeps its data. `rooms` are channels of its workspace, to be used once."""

    def __init__(self, folder: Path, rooms: int, *options: str, **environment: str) -> None:
        names, slack = [f"room{number:02}" for number in range(rooms)], SimulatedSlack()
        for name in names:
            slack.workspace.add_channel(name)
        WorkspaceStorage(slack.workspace, folder / "kept" / "slack").save()
        self.rooms = iter(names)
        super().__init__(folder, "--data", str(folder / "kept"), *options, **environment)


def _bots_under(demo: int) -> list[int]:
    """The bot is forked from a process that the demo has for that alone."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            status = (folder / "status").read_text()
            parents[int(folder.name)] = int(status.split("\nPPid:")[1].split()[0])
    return [pid for pid, parent in parents.items() if parents.get(parent) == demo]
