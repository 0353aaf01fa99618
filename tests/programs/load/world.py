"""The processes of one case."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.adapters.embedded_redis import EmbeddedRedis
from tests.support.processes import ROOT, BotProcess, free_port

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`subject`: "bot", or a baseline with its pool's size ("baseline" has the default). `n` is the
    WORKER_CONCURRENCY; `messages_per_second` is what the bot takes Slack's limit for; several
    `webs` need Socket Mode; `settings` are more of the bot's environment."""

    subject: str
    mode: str
    n: int
    workers: int = 1
    image_ttl: int = 3600
    settings: tuple[tuple[str, str], ...] = ()
    webs: int = 1
    messages_per_second: float = 1000.0

    @property
    def name(self) -> str:
        two = f", {self.workers} workers" if self.workers > 1 else ""
        return f"{self.subject}{two}, {self.mode}, N = {self.n}"


class Simulator:
    """A simulator's process. Its facts and its commands are those of its module."""

    def __init__(self, process: Process, facts: Json, http: aiohttp.ClientSession) -> None:
        self._process = process
        self._http = http
        self.facts = facts

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, command: str, **given: Any) -> Json:
        async with self._http.post(self.facts["control"] + command, json=given) as response:
            response.raise_for_status()
            answer: Json = await response.json()
            return answer


@dataclass(frozen=True)
class World:
    """What a case is measured in. `programs` are the bot's own processes by name."""

    case: Case
    slack: Simulator
    openai: Simulator
    redis: EmbeddedRedis
    programs: dict[str, BotProcess]

    @property
    def logs(self) -> str:
        """The ends of what the bot's processes wrote."""
        return "\n".join(f"{name}: {one.log[-4000:]}" for name, one in self.programs.items())

    @property
    def pids(self) -> dict[str, int]:
        simulators = {"slack": self.slack.pid, "openai": self.openai.pid, "valkey": self.redis.pid}
        return {**{name: one.pid for name, one in self.programs.items()}, **simulators}


class ProgramProcess(BotProcess):
    """A `python -m bot …` that is not forked: its memory and CPU are its own."""

    forked = False


class BaselineProcess(ProgramProcess):
    """The same for the baseline."""

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("tests.programs.load.baseline", *self.command.split())


@asynccontextmanager
async def opened(case: Case) -> AsyncIterator[World]:
    """All processes of the case, ready; they end with the body."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        )
        slack = await stack.enter_async_context(_simulator("tests.programs.load.slack", http))
        openai = await stack.enter_async_context(_simulator("tests.programs.load.openai", http))
        redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
        programs = _programs(case, slack, openai, redis, folder)
        stack.push_async_callback(_stop, list(programs.values()))
        for program in programs.values():
            await program.start()
        if case.mode == "http":
            port = programs[next(iter(programs))].environment["PORT"]
            await slack.ask("listen", url=f"http://127.0.0.1:{port}/slack/events")
        yield World(case, slack, openai, redis, programs)


@asynccontextmanager
async def _simulator(module: str, http: aiohttp.ClientSession) -> AsyncIterator[Simulator]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdout=PIPE, env=environment
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30.0)
        yield Simulator(process, json.loads(line), http)
    finally:
        process.terminate()
        await process.wait()


def _programs(
    case: Case, slack: Simulator, openai: Simulator, redis: EmbeddedRedis, folder: Path
) -> dict[str, BotProcess]:
    environment = _environment(case, slack, openai, redis)
    if case.subject.startswith("baseline"):
        pool = case.subject.partition(", pool of ")[2]
        port = environment["PORT"] if case.mode == "http" else "0"
        command = f"--port {port} --pool {pool or 0}"
        return {"baseline": BaselineProcess(command, environment, folder)}
    workers = {
        f"worker{i}": ProgramProcess(
            "worker", {**environment, "OPENAI_PROJECT_ID": f"w{i}"}, folder
        )
        for i in range(1, case.workers + 1)
    }
    webs = {
        f"web{i}" if i > 1 else "web": ProgramProcess("web", environment, folder)
        for i in range(1, case.webs + 1)
    }
    return {**webs, **workers}


def _environment(
    case: Case, slack: Simulator, openai: Simulator, redis: EmbeddedRedis
) -> dict[str, str]:
    known = {key: value for key, value in slack.facts.items() if key.startswith("SLACK_")}
    if case.mode == "http" and case.subject == "bot":
        known["SLACK_APP_TOKEN"] = ""
    return {
        **known,
        "OPENAI_API_KEY": openai.facts["api_key"],
        "OPENAI_BASE_URL": openai.facts["base_url"],
        "REDIS_URL": redis.url,
        "PORT": str(free_port()),
        "WORKER_CONCURRENCY": str(case.n),
        "IMAGE_TTL": str(case.image_ttl),
        "SLACK_MESSAGES_PER_SECOND": str(case.messages_per_second),
        "LOG_LEVEL": "INFO",
        **dict(case.settings),
    }


async def _stop(programs: list[BotProcess]) -> None:
    for program in programs:
        await program.kill()
