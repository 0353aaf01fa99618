"""The bot as a child process. It is started again whenever it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from pydantic import SecretStr

from bot.concurrency import wait_for_event
from bot.sandbox import Page
from bot.settings import Settings
from bot.telemetry.logs import LogFormat

ROOT = Path(__file__).parents[2]
FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0
"""Seconds before the bot is started again; doubled while it does not get ready."""
MESSAGES_PER_SECOND = 1000.0
"""The simulated Slack sets no limits."""
SHUTDOWN_GRACE = 3.0
"""Seconds that the bot waits for images in flight when it stops."""
STOP_TIMEOUT = 12.0
_LINE = re.compile(r"\d{4}-\S+ \S+ (?P<level>[A-Z]+) +(?P<logger>[\w.]+): (?P<text>.*)")
_QUIET = {"DEBUG", "INFO"}
_WIRE_ONLY = {*_QUIET, "WARNING"}


class BotChild:
    """`python -m bot dev` against the simulated workspace.

    It runs in `folder`, so that it reads no `.env` of a real workspace; its settings are passed in
    the environment. It has a process group of its own: Ctrl-C in the terminal reaches only the
    demo, which then stops the child in order.
    """

    def __init__(self, settings: Settings, page: Page, redis_url: str, folder: Path) -> None:
        self._page = page
        self._environment = {**os.environ, **environment(settings, page, redis_url)}
        self._folder = folder
        self._stopping = asyncio.Event()
        self._process: Process | None = None
        self._started_again = False
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Run the bot until `stop`, and start it again whenever it ends."""
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            self.ready.clear()
            code = await self._run_once()
            delay = FIRST_DELAY if self.ready.is_set() else min(delay * 2, LONGEST_DELAY)
            if not self._stopping.is_set():
                _say(f"ended with code {code}; it is started again in {delay:g} s")
                self._started_again = True
            await wait_for_event(self._stopping, delay)

    async def stop(self) -> None:
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()

    async def _run_once(self) -> int:
        """The exit code."""
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
        return code

    def _take_line(self, line: str) -> None:
        """Show every line on the wire, and errors in the terminal."""
        match = _LINE.match(line)
        level, text = (match["level"], match["text"]) if match else ("", line)
        if "ready as" in text:
            if self._started_again:
                _say("runs again")
            self.ready.set()
        self._page.feed.note("log", text, **({"bad": True} if level not in _QUIET else {}))
        if level not in _WIRE_ONLY:
            _say(line)


def _say(line: str) -> None:
    sys.stderr.write(f"bot: {line}\n")


def environment(settings: Settings, page: Page, redis_url: str) -> dict[str, str]:
    """The settings of this process, with the workspace and Redis of the demo."""
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
    defaults = {
        "shutdown_grace": SHUTDOWN_GRACE,
        "slack_messages_per_second": MESSAGES_PER_SECOND,
        "admins": page.slack.user("alice").id,
    }
    values = {**defaults, **given, **own}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), page.slack.host]))
    variables = {name.upper(): _text(value) for name, value in values.items()}
    proxies = {"NO_PROXY": direct, "no_proxy": direct}
    return {**variables, **proxies, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
