"""The program's processes, and a supervisor that starts again what has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import Process
from pathlib import Path

from tests.programs.chaos.journal import Journal
from tests.support.forked import ROOT, ForkedProcess, start

PATIENCE_WITH_SIGTERM = 45.0
"""Seconds; the program's own grace is 20, and each thing it closes has a few more."""

_TRIES = 3


class Slot:
    """One place in the fleet: a command, its environment, and the process that runs there now."""

    def __init__(
        self, name: str, environment: dict[str, str], folder: Path, journal: Journal
    ) -> None:
        self.name = name
        self.command = name.rstrip("0123456789")
        self.log = folder / f"{name}.log"
        self.ready = asyncio.Event()
        self.starts = 0
        self.ever_ready = False
        self._folder = folder
        self._environment = environment
        self._journal = journal
        self._process: Process | ForkedProcess | None = None
        self._asked = ""
        self._pause = 0.5
        self._closing = False
        self._running: asyncio.Task[None] | None = None
        self._last_resort: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._supervise())

    def send(self, number: int, pause: float) -> bool:
        """Send a signal; the supervisor waits so many seconds before it starts another process.
        False where there is none that could take it."""
        process = self._process
        if process is None or process.returncode is not None:
            return False
        if number == signal.SIGTERM and (self._asked or not self.ready.is_set()):
            return False
        self._pause = pause
        self._asked = signal.Signals(number).name
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        if self._last_resort is None:
            loop = asyncio.get_running_loop()
            wait = PATIENCE_WITH_SIGTERM
            self._last_resort = loop.call_later(wait, self._kill_unheard, process)
        return True

    def check(self) -> None:
        """Raise where it has never come up, whatever the number of tries."""
        if self.starts > _TRIES and not self.ever_ready:
            last = self.log.read_text(errors="replace")[-2000:]
            raise AssertionError(f"{self.name} does not start:\n{last}")

    async def stop(self) -> None:
        """End for good, as an operator would."""
        self._closing = True
        if self._process is not None and self._process.returncode is None:
            self.send(signal.SIGTERM if self.ready.is_set() else signal.SIGKILL, 0.0)
        if self._running is not None:
            await self._running

    async def kill(self) -> None:
        """End for good, at once."""
        self._closing = True
        self.send(signal.SIGKILL, 0.0)
        if self._running is not None:
            await self._running

    async def _supervise(self) -> None:
        while not self._closing:
            await self._run()
            pause, self._pause = self._pause, 0.5
            deadline = time.monotonic() + pause
            while not self._closing and time.monotonic() < deadline:
                await asyncio.sleep(0.1)

    async def _run(self) -> None:
        self.starts += 1
        self._asked = ""
        environment = {**_machine(), **self._environment}
        self._process = await start(
            "bot", self.command, folder=self._folder, environment=environment
        )
        reading = asyncio.create_task(self._read(self._process))
        began = time.time()
        code = await self._process.wait()
        if self._last_resort is not None:
            self._last_resort.cancel()
            self._last_resort = None
        await reading
        was_ready = self.ready.is_set()
        self.ready.clear()
        self._journal.add(
            *("exit", self.name), code=code, asked=self._asked, ready=was_ready, began=began
        )

    def _kill_unheard(self, process: Process | ForkedProcess) -> None:
        if process.returncode is None:
            self._asked = f"{self._asked} in vain"
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)

    async def _read(self, process: Process | ForkedProcess) -> None:
        assert process.stderr is not None
        tail = b""
        with self.log.open("ab") as log:
            while chunk := await process.stderr.read(64 * 1024):
                log.write(chunk)
                log.flush()
                tail = (tail + chunk)[-4096:]
                if b"ready as" in tail and not self.ready.is_set():
                    self.ready.set()
                    self.ever_ready = True
                    self._journal.add("ready", self.name)
                    tail = b""


def _machine() -> dict[str, str]:
    """The machine's environment without anything that the program would read."""
    settings = ("SLACK_", "OPENAI_", "IMAGE_", "REDIS_", "LOG_", "OTEL_", "PORT", "HEALTH_", "JOB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
