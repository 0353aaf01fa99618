"""The command line: `python -m bot demo | dev | web | worker | check | usage | audit | inspect`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036 # an older one gets here, and fails on an import
    sys.exit("imagine-bot: this needs Python 3.11 or newer")
try:
    import uvloop
    from pydantic import ValidationError

    from bot.demo import demo
    from bot.domain.errors import ImagineError
    from bot.ops.audit import add_audit_options, audit
    from bot.ops.check import check
    from bot.ops.inspection import inspect_file
    from bot.ops.usage import add_usage_options, usage
    from bot.settings import Settings
    from bot.telemetry.logs import LogFormat, set_up
    from bot.telemetry.tracing import tracing
    from bot.telemetry.uncaught import watch_loop, watch_process
    from bot.wiring.lifecycle import Role, run
except ModuleNotFoundError as missing:
    if missing.name and missing.name.startswith("bot"):
        raise
    sys.exit(
        f"imagine-bot: the Python package {missing.name} is not installed.\n"
        f"Install the requirements first: {sys.executable} -m pip install -r requirements.txt"
    )

log = logging.getLogger("bot")

_COMMANDS = {
    "demo": "a simulated Slack workspace in the browser with the bot in it; needs no accounts",
    "dev": "web and worker in one process; its own Redis when REDIS_URL is unset",
    "web": "take what people do in Slack, over Socket Mode or HTTP",
    "worker": "make and publish the images",
    "check": "say whether tokens, scopes, Redis and models are as they should be",
    "usage": "say what was spent, by user, channel, day or model",
    "audit": "export, verify or show the record of what was asked, made, approved and published",
    "inspect": "say what marks of its making an image file carries",
}
_SERVICES = {
    "dev": "imagine-bot-dev",
    "web": "imagine-bot-web",
    "worker": "imagine-bot-worker",
}
"""The commands that serve, by the names that they have in traces."""
_PRINTING = frozenset({"check", "usage", "audit", "inspect"})
"""The commands whose work is their output."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and answer the exit code."""
    if sys.stdout is None:  # it was closed before the start
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the end
    options = _parser().parse_args(arguments)
    if options.command == "inspect":
        return _inspect(options.file)
    try:
        settings = Settings()
    except ValidationError as error:
        return _complain(_settings_errors(error))
    as_json = _log_to_stderr(settings, options.command)
    try:
        with tracing(_SERVICES.get(options.command, ""), os.environ):
            code = _run(_work(options, settings), serves=options.command in _SERVICES)
            sys.stdout.flush()
            return code
    except ImagineError as error:
        return _complain(str(error), as_json)
    except OSError as error:
        return _fail(options.command, error, as_json)
    except KeyboardInterrupt:
        return 130


def _inspect(file: Path) -> int:
    """Needs no settings, so that wrong ones do not matter."""
    try:
        code = inspect_file(file)
        sys.stdout.flush()
    except ImagineError as error:
        return _complain(str(error))
    except OSError as error:
        return _fail("inspect", error)
    return code


def _work(options: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, int | None]:
    if options.command == "check":
        return check(settings)
    if options.command == "audit":
        return audit(options, settings)
    if options.command == "usage":
        return usage(options, settings)
    if options.command == "demo":
        return demo(
            settings,
            port=options.port,
            data=options.data,
            open_browser=not options.no_browser,
            only_slack=options.only_slack,
            backend=options.backend,
        )
    roles = {"dev": Role.WEB | Role.WORKER, "web": Role.WEB, "worker": Role.WORKER}
    return run(settings, roles[options.command], embedded_redis=options.command == "dev")


def _run(work: Coroutine[Any, Any, int | None], *, serves: bool) -> int:
    """What serves runs on libuv's loop, with which an image takes a fifth less CPU. The demo needs
    Python's own: uvloop starts no subprocess in a process group of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if serves else None) as runner:
        watch_loop(runner.get_loop())
        return runner.run(work) or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in _COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words)
        if name == "demo":
            _add_demo_options(command)
        if name == "audit":
            add_audit_options(command)
        if name == "usage":
            add_usage_options(command)
        if name == "inspect":
            command.add_argument("file", type=Path, metavar="FILE", help="a PNG, JPEG or WebP file")
    return parser


def _add_demo_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--no-browser", action="store_true", help="open no browser")
    command.add_argument("--port", type=_port, help="the page's port (usually 8765, or a free one)")
    command.add_argument("--data", type=Path, metavar="DIR", help="keep everything in this folder")
    command.add_argument(
        "--backend",
        choices=("openai", "placeholder"),
        help="who makes the images; without it the demo asks before it spends anything",
    )
    command.add_argument(
        "--only-slack", action="store_true", help="the workspace alone (port 4700), without the bot"
    )


def _port(typed: str) -> int:
    """Raises `argparse.ArgumentTypeError` for what is no port."""
    if typed.isascii() and typed.isdigit() and 1 <= int(typed[:6]) <= 65535:
        return int(typed)
    raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {typed}")


def _settings_errors(error: ValidationError) -> str:
    """Each wrong setting by its name in the environment; never its value, which may be secret."""
    return "\n".join(
        f"{'_'.join(str(part) for part in problem['loc']).upper()}: "
        f"{problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    )


def _complain(words: str, as_json: bool = False) -> int:
    if as_json:
        log.critical(words)
    else:
        sys.stderr.write(f"imagine-bot: {words}\n")
    return 1


def _fail(command: str, error: OSError, as_json: bool = False) -> int:
    """The exit code of a command that the system refused something. A reader of its output, such as
    `head`, has closed it, or the output's disk is full, or the command cannot start."""
    if isinstance(error, BrokenPipeError) and command not in _SERVICES:
        return _end_output(128 + signal.SIGPIPE)
    if error.errno == errno.ENOSPC and command in _PRINTING:
        return _end_output(_complain(f"the output cannot be written: {error.strerror}"))
    return _complain(f"cannot start: {error}", as_json)


def _end_output(code: int) -> int:
    """The interpreter flushes the output once more: nothing may refuse it then."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _log_to_stderr(settings: Settings, command: str) -> bool:
    """Answers whether as JSON: never where a person looks on."""
    log_format = settings.log_format
    if log_format is LogFormat.AUTO and command not in _SERVICES:
        log_format = LogFormat.TEXT
    watch_process()
    return set_up(settings.log_level, log_format, prompts=settings.log_prompts)


if __name__ == "__main__":
    sys.exit(main())
