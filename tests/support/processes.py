"""The program under test, as processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from redis.asyncio import Redis

from bot.sandbox import PATIENCE, SimulatedSlack
from tests.fake_openai import FakeOpenAI
from tests.support.forked import ROOT, ForkedProcess, start

__all__ = ["ROOT", "BotProcess", "HastyProcess", "World", "free_port"]


def free_port() -> int:
    """A port that nobody else is given before the tests end. Linux keeps it for a socket that is
    bound and does not listen, and lets a server on it that sets SO_REUSEADDR, as all of ours do."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port: int = probe.getsockname()[1]
    if sys.platform == "linux":
        probe.detach()
    else:
        probe.close()
    return port


class BotProcess:
    """One `python -m bot …`, with what it wrote to stderr."""

    forked = True
    """Started by the fork server where that makes no difference."""

    def __init__(self, command: str, environment: dict[str, str], folder: Path) -> None:
        self.command = command
        self.environment = environment
        self.folder = folder
        self.log = ""
        self._process: Process | ForkedProcess | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The module that is run, and its arguments."""
        return ("bot", self.command)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        assert self._process is not None
        return self._process.returncode

    async def start(self, until: str = "ready as") -> Self:
        """Start, and wait for a line that holds `until`."""
        environment = {**_clean_environment(), **self.environment}
        self._process = await start(
            *self.arguments, folder=self.folder, environment=environment, forked=self.forked
        )
        self._reader = asyncio.create_task(self._read())
        await self.wait_for_line(until, 2 * PATIENCE)
        return self

    async def wait_for_line(self, text: str, timeout: float = PATIENCE) -> None:
        await self.wait_until(lambda: text in self.log, timeout)

    async def wait_until(self, told: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Ask `told` again after each line that the process logs."""
        async with asyncio.timeout(timeout):
            while not told():
                self._news.clear()
                assert self._reader is not None
                if self._reader.done():
                    raise AssertionError(f"{self.command} ended early:\n{self.log}")
                await self._news.wait()

    def send(self, number: int) -> None:
        """Send a signal, and do not wait for what comes of it."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self, number: int = signal.SIGTERM, timeout: float = 2 * PATIENCE) -> int:
        """Send a signal and answer the exit code."""
        assert self._process is not None
        self.send(number)
        async with asyncio.timeout(timeout):
            code = await self._process.wait()
        if self._reader is not None:
            await self._reader
        return code

    async def kill(self) -> None:
        await self.stop(signal.SIGKILL)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.log += line.decode(errors="replace")
            self._news.set()
        self._news.set()


class HastyProcess(BotProcess):
    """One whose pauses are short."""

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("tests.support.hasty", self.command)


def _clean_environment() -> dict[str, str]:
    """The machine's environment without anything that the program would read."""
    prefixes = ("SLACK_", "OPENAI_", "IMAGE_", "REDIS_", "LOG_", "OTEL_", "JOB_", "PYTHONDONTWRITE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


SHORT_LEASE = 5.0
"""Seconds for which a dead worker's jobs are still taken for its own, where a test waits for that:
longer than a busy machine makes a live one stand still."""


DRAIN = 1.5
"""Seconds for which a web process that is told to stop goes on to serve, over HTTP: more than the
load balancer of these tests needs to see that it isn't ready."""


MESSAGES_PER_SECOND = "1000"
"""The simulated Slack sets no limits, unless a test does."""


class World:
    """A simulated Slack, a fake OpenAI, a Redis, and the bot's processes between them."""

    process: type[BotProcess] = BotProcess

    def __init__(
        self, slack: SimulatedSlack, openai: FakeOpenAI, redis_url: str, folder: Path, mode: str
    ) -> None:
        self.slack = slack
        self.openai = openai
        self.redis_url = redis_url
        self.mode = mode
        self.folder = folder
        self.processes: list[BotProcess] = []
        self.port = free_port()
        self.redis_pid = 0
        self.settings: dict[str, str] = {}
        self._redis: Redis | None = None

    @property
    def redis(self) -> Redis:
        """For looking into the store; closed with the world."""
        if self._redis is None:
            self._redis = Redis.from_url(self.redis_url, decode_responses=True)
        return self._redis

    @property
    def environment(self) -> dict[str, str]:
        environment = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": self.slack.api_url,
            "OPENAI_API_KEY": self.openai.api_key,
            "OPENAI_BASE_URL": self.openai.base_url,
            "REDIS_URL": self.redis_url,
            "PORT": str(self.port),
            "LOG_LEVEL": "DEBUG",
            "SLACK_MESSAGES_PER_SECOND": MESSAGES_PER_SECOND,
            "DRAIN_SECONDS": str(DRAIN),
            "PLACEHOLDER_DELAY": "0",
        }
        if self.mode == "socket":
            environment["SLACK_APP_TOKEN"] = self.slack.app_token
        return environment | self.settings

    async def run(self, command: str, **changes: str) -> BotProcess:
        process = self.process(command, {**self.environment, **changes}, self.folder)
        self.processes.append(process)
        await process.start()
        if self.mode == "http":
            self.slack.use_http(f"http://127.0.0.1:{self.port}/slack/events")
        return process

    async def health(self) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/healthz") as response,
        ):
            return response.status, await response.text()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes:
            await process.kill()
        if self._redis is not None:
            await self._redis.aclose()
        logs = "\n".join(f"--- {process.command}\n{process.log}" for process in self.processes)
        if error is None:
            sys.stderr.write(f"{logs}\n")  # pytest shows it where a test failed
        else:
            error.add_note(logs)  # what goes to stderr may be another test's by then
