"""Starts the workspace, its page, a Valkey and the bot; stops them on a signal."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.concurrency import cancel_and_wait
from bot.demo import words
from bot.demo.bot_child import BotChild
from bot.demo.spending import ask_backend, chosen_backend
from bot.demo.watch import watch_jobs, watch_stages
from bot.domain.app_blocked import REQUIRED_SCOPES
from bot.domain.errors import ImagineError
from bot.ops.doctor.slack import OPTIONAL_SCOPES
from bot.sandbox import Command, Features, Page, Shortcut, SimulatedSlack, WorkspaceStorage
from bot.settings import Settings
from bot.slack.events import SUBSCRIBED
from bot.views.ids import DIRECT_IMAGE

T = TypeVar("T")

DEFAULT_PORT = 8765
ONLY_SLACK_PORT = 4700
# As in manifest.json, which is no part of an installed package.
FEATURES = Features(
    commands=(
        Command(
            "/imagine",
            "[a robot eating pizza on Mars --ar 16:9 --n 3 | list | cancel | help]",
            "Make an image, and decide on it in a thread",
        ),
    ),
    shortcuts=(Shortcut(DIRECT_IMAGE, "Edit this image"),),
    events=SUBSCRIBED,
    home_tab=True,
)
SCOPES = (REQUIRED_SCOPES | OPTIONAL_SCOPES.keys()) - {"channels:join"}
"""Without channels:join the bot has to be invited, as #outsiders shows."""


async def demo(
    settings: Settings,
    *,
    port: int | None = None,
    data: Path | None = None,
    open_browser: bool = True,
    only_slack: bool = False,
    backend: str | None = None,
) -> None:
    """Run until SIGINT or SIGTERM. `port` None takes the usual port, or a free one when that is in
    use. The folder `data` keeps everything; None keeps nothing. `backend` is who makes the images:
    None asks before anything is spent. Raises `ImagineError`."""
    stop = _stop_on_signals()
    async with AsyncExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="imagine-")))
        chosen = None if only_slack else chosen_backend(settings, backend)
        usual = ONLY_SLACK_PORT if only_slack else DEFAULT_PORT
        page = await _start_page(stack, _free(usual) if port is None else port, data)
        if only_slack:
            page.show(None, images=words.ONLY_SLACK_IMAGES, waiting=words.NO_BOT_YET)
            _say(words.only_slack(page))
        elif chosen is None:
            chosen = await _unless(stop, _ask(settings, page, open_browser=open_browser))
            open_browser = False
        if chosen is not None:
            page.show(None, images=words.images(chosen), waiting=words.STARTING)
            child = await _start_bot(stack, chosen, page, folder)
            await _unless(stop, child.ready.wait())
            _say(words.welcome(page, chosen, data))
        if open_browser and not stop.is_set():
            await asyncio.to_thread(_open, page.url)
        await stop.wait()
        _say(words.GOODBYE)


async def _ask(settings: Settings, page: Page, *, open_browser: bool) -> Settings:
    page.show(None, waiting=words.CHOOSING)
    _say(words.asked_in_terminal(page, settings))
    if open_browser:
        await asyncio.to_thread(_open, page.url)
    return await ask_backend(settings, page)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _start_page(stack: AsyncExitStack, port: int, data: Path | None) -> Page:
    slack = SimulatedSlack(port=port, scopes=set(SCOPES))
    for user in ("alice", "bob", "carol"):
        slack.direct(user)
    page = Page(slack, FEATURES, {})
    try:
        await page.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise ImagineError(words.port_taken(port)) from None
    if data is not None:
        keeping = asyncio.create_task(WorkspaceStorage(slack.workspace, data / "slack").run())
        stack.push_async_callback(asyncio.gather, keeping)
    stack.push_async_callback(page.stop)
    return page


async def _start_bot(
    stack: AsyncExitStack, settings: Settings, page: Page, folder: Path
) -> BotChild:
    redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
    watching = [
        asyncio.create_task(watch(redis.url, page.feed)) for watch in (watch_stages, watch_jobs)
    ]
    stack.push_async_callback(cancel_and_wait, *watching)
    child = BotChild(settings, page, redis.url, folder)
    running = asyncio.create_task(child.run())
    stack.push_async_callback(_end, child, running)
    return child


async def _end(child: BotChild, running: asyncio.Task[None]) -> None:
    await child.stop()
    await running


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of the work; None where `stop` came first."""
    waiting, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, stopped], return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        await cancel_and_wait(stopped)
        return await waiting
    await cancel_and_wait(waiting)
    return None


def _free(port: int) -> int:
    """The port, or 0 (any free port) when something listens on it already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _open(url: str) -> None:
    """Open a browser that has windows: one in the terminal would take the terminal over."""
    windows = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if not windows or not webbrowser.open(url):
        logging.getLogger(__name__).info("no browser could be opened")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
