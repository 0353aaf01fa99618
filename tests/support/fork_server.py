"""`python -m tests.support.fork_server FD`: runs `python -m MODULE …` in processes forked from one
that has imported the program already, since the imports are most of what a start costs. FD is the
socket at which it listens. It ends with its last connection, and with each, what it has forked for
that one.

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
import selectors
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
_FDS = 3  # stdout, stderr, and where pid and exit status are written


class _Server:
    """`status`: pid → the pipe on which its parent waits for its end. `forked`: what runs for each
    connection, by pid."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._status: dict[int, int] = {}
        self._forked: dict[socket.socket, set[int]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ)

    def serve(self) -> dict[str, Any] | None:
        """Fork for each request. Answers the request in the forked process, and `None` at the end
        in the server."""
        signal.signal(signal.SIGCHLD, lambda *_: self._reap())
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listening:
                    self._accept()
                    continue
                assert isinstance(key.fileobj, socket.socket)
                message, fds, *_ = socket.recv_fds(key.fileobj, LONGEST_REQUEST, _FDS)
                if not message:
                    self._end(key.fileobj)
                elif self._fork(key.fileobj, fds):
                    wanted: dict[str, Any] = json.loads(message)
                    return wanted
            if not self._forked:
                return None

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        self._forked[connection] = set()
        self._selector.register(connection, selectors.EVENT_READ)

    def _fork(self, connection: socket.socket, fds: list[int]) -> bool:
        """Whether this is the forked process."""
        pid = os.fork()
        if pid == 0:
            self._leave(fds)
            return True
        os.write(fds[2], array.array("i", [pid]).tobytes())
        self._status[pid] = fds[2]
        self._forked[connection].add(pid)
        for fd in fds[:2]:
            os.close(fd)
        self._reap()  # it may have ended before it was in `status`
        return False

    def _leave(self, fds: list[int]) -> None:
        """In the forked process: keep nothing of the server's."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for each in (self._listening, *self._forked):
            each.close()
        for stream, fd in zip((1, 2), fds, strict=False):
            os.dup2(fd, stream)
        for fd in (*fds, *self._status.values()):
            os.close(fd)

    def _end(self, connection: socket.socket) -> None:
        """Whoever had it waits until it is closed."""
        self._selector.unregister(connection)
        for pid in self._forked.pop(connection) & self._status.keys():
            os.kill(pid, signal.SIGKILL)
        connection.close()

    def _reap(self) -> None:
        for pid in list(self._status):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended and (pipe := self._status.pop(pid, None)) is not None:
                code = os.waitstatus_to_exitcode(status)
                with suppress(BrokenPipeError):  # nobody waits for it
                    os.write(pipe, array.array("i", [code]).tobytes())
                os.close(pipe)


def _run(request: dict[str, Any]) -> None:
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
    request = _Server(socket.socket(fileno=int(sys.argv[1]))).serve()
    if request is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _run(request)
