"""Logs uncaught exceptions and warnings by their class and place. Left alone, Python writes their
texts to stderr."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import warnings
from types import TracebackType
from typing import Any, TextIO

from bot.telemetry.logs import short_path

log = logging.getLogger(__name__)

_KNOWN = (
    "Task exception was never retrieved",
    "Future exception was never retrieved",
    "Task was destroyed but it is pending!",
    "Exception in callback",
    "Unclosed client session",
    "Unclosed connection",
    "Unclosed connector",
    "Fatal error on transport",
    "Fatal write error",
    "Fatal read error",
)
"""How what asyncio and aiohttp report to the loop begins; arguments of callbacks may follow."""


def watch_process() -> None:
    """Log exceptions of all threads, those in destructors, and warnings."""
    sys.excepthook = _main_thread_failed
    threading.excepthook = lambda hook: _failed(f"the thread {_name(hook.thread)}", hook.exc_value)
    sys.unraisablehook = lambda hook: _failed("a destructor", hook.exc_value)
    warnings.showwarning = _log_warning


def watch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Log exceptions of tasks and callbacks that nobody awaits."""
    loop.set_exception_handler(_loop_reported)


def _loop_reported(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    message = str(context.get("message", ""))
    known = next((words for words in _KNOWN if message.startswith(words)), "The event loop reports")
    log.error("%s %s", known, _coroutine(context), exc_info=context.get("exception"))


def _coroutine(context: dict[str, Any]) -> str:
    """The name of the task's code; a task's own description holds its exception's text."""
    task = context.get("task") or context.get("future")
    coroutine = getattr(task, "get_coro", lambda: None)()
    return str(getattr(coroutine, "__qualname__", ""))


def _failed(what: str, error: BaseException | None) -> None:
    log.error("%s failed", what, exc_info=error)


def _main_thread_failed(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    log.critical("the program ended with an exception", exc_info=error)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    log.warning("%s at %s:%s", category.__name__, short_path(filename), lineno)


def _name(thread: threading.Thread | None) -> str:
    return thread.name if thread else "that has gone"
