"""`python -m tests.support.shared_fork_server FD`: a fork server for each process that connects to
the socket FD. All are forked from this one, which has imported the program once; it ends with the
last of them."""

from __future__ import annotations

import gc
import os
import runpy
import select
import signal
import socket
import sys

SERVER = "tests.support.fork_server"


def _accept(listening: socket.socket) -> socket.socket | None:
    """Fork for each connection. Answers it in the forked process, and `None` here at the end."""
    servers: set[int] = set()
    ended, ends = os.pipe()
    os.set_blocking(ends, False)
    signal.set_wakeup_fd(ends)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([listening.fileno(), ended], [], [])
        if listening.fileno() in ready:
            connection, _ = listening.accept()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for fd in (ended, ends, listening.detach()):
                    os.close(fd)
                return connection
            servers.add(pid)
            connection.close()
        else:
            os.read(ended, select.PIPE_BUF)
            servers -= {pid for pid in servers if os.waitpid(pid, os.WNOHANG)[0]}
            if not servers:
                return None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end their servers
    __import__(SERVER)
    del sys.modules[SERVER]
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        connection = _accept(listening)
    if connection is not None:
        sys.argv[1] = str(connection.detach())
        runpy.run_module(SERVER, run_name="__main__")
