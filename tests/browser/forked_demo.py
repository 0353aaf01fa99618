"""`python -m tests.browser.forked_demo …` is `python -m bot demo …`, but its bot is no new program:
it is forked from a process that has imported it already."""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import socket
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.support.fork_server import ForkServer, run
from tests.support.forked import ForkedProcess, fork

_ENDING = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        _serve(theirs)
        return
    theirs.close()
    sys.argv = ["bot", "demo", *sys.argv[1:]]
    with ours:
        asyncio.create_subprocess_exec = partial(_start_bot, ours)  # type: ignore[assignment]
        runpy.run_module("bot", run_name="__main__", alter_sys=True)


def _serve(requests: socket.socket) -> None:
    """Fork a bot for each request, until the demo ends. Signals to the group are for the demo."""
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDING}
    with requests:
        request = ForkServer(requests).serve()
    if request is not None:
        for number, handler in kept.items():
            signal.signal(number, handler)
        run(request)


async def _start_bot(
    server: socket.socket,
    _python: str,
    _m: str,
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str],
    **_streams: object,
) -> ForkedProcess:
    return await fork(server, arguments, cwd, env, stdout=False, new_session=True)


if __name__ == "__main__":
    main()
