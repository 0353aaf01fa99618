"""`python -m tests.support.worker_server SOCKET`: the processes in which pytest-xdist runs tests,
forked from one that has imported what all of them would, since each would take seconds for it.

    pytest ─ execnet ─→ worker_client (passes its streams on, and waits)
                            └─ SOCKET ─→ this ─ fork ─→ reads execnet's program from those streams

It ends with its stdin; a forked process ends with its own, as every process of execnet's does. What
a module reads from the environment while it is imported is what pytest's own process has there.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
import warnings
from contextlib import suppress
from pathlib import Path

IMPORTED = (
    *("bot.demo", "bot.ops.audit", "bot.ops.check", "bot.ops.inspection", "bot.ops.usage"),
    *("bot.telemetry.tracing", "bot.wiring.lifecycle", "hypothesis.stateful", "pytest"),
    *("playwright.async_api", "ruamel.yaml", "tests.fake_openai", "tests.fakes", "trustme"),
    *("tests.programs.chaos.run", "tests.programs.load.budget", "tests.support.bombs"),
    *("tests.support.collector", "tests.support.heic", "tests.support.scene"),
)
"""They import nearly all that tests do. None of them is a test: pytest rewrites those itself."""
_STREAMS = 3


def _serve(listening: socket.socket) -> bool:
    """Fork for each client. True in the forked process, and False in the server at its end."""
    while True:
        ready, _, _ = select.select([listening.fileno(), 0], [], [])
        if listening.fileno() not in ready:
            return False
        client, _ = listening.accept()
        _, streams, *_ = socket.recv_fds(client, 1, _STREAMS)
        if os.fork() == 0:
            listening.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            client.detach()  # it is closed when this process ends, which is what the client sees
            return True
        client.close()
        for stream in streams:
            os.close(stream)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = socket.socket(socket.AF_UNIX)
    path = Path(sys.argv[1])
    server.bind(f"{path}.new")
    server.listen()
    Path(f"{path}.new").rename(path)  # clients wait in line from here on
    gc.disable()
    with warnings.catch_warnings(action="error"):
        for module in IMPORTED:
            with suppress(Exception):  # each process tries again and tells it with its tests
                importlib.import_module(module)
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if _serve(server):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        sys.argv = ["-c"]
        exec(eval(sys.stdin.readline()), {"__name__": "__main__"})
