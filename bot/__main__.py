"""The command line: `python -m bot demo | dev | web | worker | check`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from pydantic import ValidationError

from bot.app import Role, run
from bot.check import check
from bot.demo import demo
from bot.domain.errors import ImagineError
from bot.settings import Settings

_COMMANDS = {
    "demo": "a simulated Slack workspace in the browser with the bot in it; needs no accounts",
    "dev": "web and worker in one process; its own Redis when REDIS_URL is unset",
    "web": "take what people do in Slack, over Socket Mode or HTTP",
    "worker": "make and publish the images",
    "check": "say whether tokens, scopes, Redis and models are as they should be",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and answer the exit code."""
    options = _parser().parse_args(arguments)
    command = options.command
    try:
        settings = Settings()
    except ValidationError as error:
        return _complain(_settings_errors(error))
    _log_to_stderr(settings.log_level)
    try:
        if command == "check":
            return asyncio.run(check(settings))
        if command == "demo":
            asyncio.run(
                demo(
                    settings,
                    port=options.port,
                    data=options.data,
                    open_browser=not options.no_browser,
                    only_slack=options.only_slack,
                )
            )
            return 0
        roles = {"dev": Role.WEB | Role.WORKER, "web": Role.WEB, "worker": Role.WORKER}
        asyncio.run(run(settings, roles[command], embedded_redis=command == "dev"))
    except ImagineError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"cannot start: {error}")
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in _COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words)
        if name == "demo":
            _add_demo_options(command)
    return parser


def _add_demo_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--no-browser", action="store_true", help="open no browser")
    command.add_argument("--port", type=int, help="the page's port (usually 8765, or a free one)")
    command.add_argument("--data", type=Path, metavar="DIR", help="keep everything in this folder")
    command.add_argument(
        "--only-slack", action="store_true", help="the workspace alone (port 4700), without the bot"
    )


def _settings_errors(error: ValidationError) -> str:
    """Each wrong setting by its name in the environment; never its value, which may be secret."""
    return "\n".join(
        f"{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
        for problem in error.errors()
    )


def _complain(words: str) -> int:
    sys.stderr.write(f"imagine-bot: {words}\n")
    return 1


def _log_to_stderr(level: str) -> None:
    """Our own loggers at the level asked for; the libraries' only from WARNING up, because below
    that they log what people type, and tokens."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    logging.getLogger("bot").setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
