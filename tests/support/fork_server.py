"""`python -m tests.support.fork_server FD`: runs `python -m MODULE …` in processes forked from one
that has imported the program already, since the imports are most of what a start costs.

A forked process is a `python -m` of its own in all else: its environment, folder and streams, the
module run as `__main__`, and the interpreter's whole end. What a library reads from the environment
while it is imported is read in the server (see `tests.support.forked`).
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from openai._utils._logs import setup_logging

IMPORTED = ("bot.demo", "bot.ops.check", "bot.wiring.lifecycle")
"""They import nearly all that `bot` does."""
IMPORTED_LATE = (
    *("bot.ops.audit", "bot.ops.inspection", "bot.ops.usage"),
    *("anyio._backends._asyncio", "genai_prices.data", "httpcore2", "openai.resources.models"),
    *("openai.resources.responses.responses", "uvloop"),
)
"""What the program imports, or its libraries do, when it is first used: most of a start, else."""
for _module in (*IMPORTED, *IMPORTED_LATE):
    importlib.import_module(_module)

LONGEST_REQUEST = 256 * 1024
_FDS = 4  # stdin, stdout, stderr, and where pid and exit status are written


class ForkServer:
    """`status`: pid → the pipe on which its parent waits for its end."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._status: dict[int, int] = {}

    def serve(self) -> dict[str, Any] | None:
        """Fork for each request. Answers the request in the forked process, and `None` at the end
        in the server."""
        signal.signal(signal.SIGCHLD, lambda *_: self._reap())
        while True:
            message, fds, *_ = socket.recv_fds(self._requests, LONGEST_REQUEST, _FDS)
            if not message:
                self._kill_all()
                return None
            request: dict[str, Any] = json.loads(message)
            pid = os.fork()
            if pid == 0:
                self._leave(fds)
                return request
            os.write(fds[3], array.array("i", [pid]).tobytes())
            self._status[pid] = fds[3]
            for fd in fds[:3]:
                os.close(fd)
            self._reap()  # it may have ended before it was in `status`

    def _leave(self, fds: list[int]) -> None:
        """In the forked process: keep nothing of the server's."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._requests.close()
        for stream, fd in zip((0, 1, 2), fds, strict=False):
            os.dup2(fd, stream)
        for fd in (*fds, *self._status.values()):
            os.close(fd)

    def _reap(self) -> None:
        """The signal of another end may come amid this, and its handler reap what is left here."""
        for pid in list(self._status):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if ended and (pipe := self._status.pop(pid, None)) is not None:
                code = os.waitstatus_to_exitcode(status)
                with suppress(BrokenPipeError):  # nobody waits for it
                    os.write(pipe, array.array("i", [code]).tobytes())
                os.close(pipe)

    def _kill_all(self) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for pid in self._status:
            os.kill(pid, signal.SIGKILL)


def run(request: dict[str, Any]) -> None:
    if request["new_session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    setup_logging()  # as openai does when it is imported
    module, *arguments = request["arguments"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end the server
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        wanted = ForkServer(requests).serve()
    if wanted is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run(wanted)
