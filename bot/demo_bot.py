"""The bot as a child process, started again whenever it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from pydantic import SecretStr

from bot.sandbox import Page
from bot.settings import Settings
from bot.tasks import set_within
from bot.telemetry.logs import LogFormat

ROOT = Path(__file__).parents[1]
FIRST_REST, LONGEST_REST = 0.5, 10.0
GRACE = 3.0
"""Seconds for images in the making at the end."""
PATIENCE = 12.0
_LINE = re.compile(r"\d{4}-\S+ \S+ (?P<level>[A-Z]+) +(?P<logger>[\w.]+): (?P<text>.*)")
_QUIET = {"DEBUG", "INFO"}
_NOT_FOR_THE_TERMINAL = {*_QUIET, "WARNING"}


class BotChild:
    """`python -m bot dev` against the simulated workspace. It runs in `folder`, out of reach of a
    `.env` with the settings of a real workspace; those that matter are handed to it.

    It has a process group of its own: Ctrl-C in the terminal reaches the demo alone, which then
    ends it in good order.
    """

    def __init__(self, settings: Settings, page: Page, redis_url: str, folder: Path) -> None:
        self._page = page
        self._environment = {**os.environ, **environment(settings, page, redis_url)}
        self._folder = folder
        self._stopping = asyncio.Event()
        self._process: Process | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`."""
        rest = FIRST_REST
        while not self._stopping.is_set():
            self.ready.clear()
            await self._run_once()
            rest = FIRST_REST if self.ready.is_set() else min(rest * 2, LONGEST_REST)
            await set_within(self._stopping, rest)

    async def stop(self) -> None:
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()

    async def _run_once(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "dev",
            cwd=self._folder, env=self._environment, stdin=asyncio.subprocess.DEVNULL, stderr=PIPE,
            process_group=0,
        )  # fmt: skip
        self._process = process
        if self._stopping.is_set():
            process.terminate()
        self._page.feed.note("bot", f"the bot is starting, process {process.pid}", pid=process.pid)
        assert process.stderr is not None  # noqa: S101 - asked for above
        async for line in process.stderr:
            self._take_line(line.decode(errors="replace").rstrip())
        code = await process.wait()
        bad = not self._stopping.is_set()
        self._page.feed.note("bot", f"the bot has ended, code {code}", bad=bad)

    def _take_line(self, line: str) -> None:
        """The wire gets every line, the terminal those that somebody should read."""
        match = _LINE.match(line)
        level, text = (match["level"], match["text"]) if match else ("", line)
        if "ready as" in text:
            self.ready.set()
        self._page.feed.note("log", text, **({"bad": True} if level not in _QUIET else {}))
        if level not in _NOT_FOR_THE_TERMINAL:
            sys.stderr.write(f"bot: {line}\n")


def environment(settings: Settings, page: Page, redis_url: str) -> dict[str, str]:
    """The settings as they were read here, but for the workspace and Redis."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    own = {
        "slack_bot_token": page.slack.bot_token,
        "slack_app_token": page.slack.app_token,
        "slack_signing_secret": page.slack.signing_secret,
        "slack_api_url": page.slack.api_url,
        "redis_url": redis_url,
        "image_backend": settings.image_backend.value,
        "health_port": "",
        "log_format": LogFormat.TEXT,  # read here, line by line
    }
    values = {"shutdown_grace": GRACE, **given, **own}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), page.slack.host]))
    variables = {name.upper(): _text(value) for name, value in values.items()}
    proxies = {"NO_PROXY": direct, "no_proxy": direct}
    return {**variables, **proxies, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
