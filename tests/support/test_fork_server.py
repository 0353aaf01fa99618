from __future__ import annotations

import array
import os
import socket
import sys

import pytest

from tests.support.fork_server import ForkServer


def test_a_process_that_ends_while_another_is_reaped_is_reaped_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = socket.socketpair()
    with here, there:
        server = ForkServer(here)
        pipes = [os.pipe(), os.pipe()]
        for _, write in pipes:
            pid = os.posix_spawn(sys.executable, [sys.executable, "-c", "exit(3)"], {})
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            server._status[pid] = write
        wait = os.waitpid

        def interrupted(pid: int, options: int) -> tuple[int, int]:
            answer = wait(pid, options)
            server._reap()  # as the signal's handler does
            return answer

        monkeypatch.setattr(os, "waitpid", interrupted)
        server._reap()
    codes = [os.read(read, 4) for read, _ in pipes]
    assert codes == [array.array("i", [3]).tobytes()] * 2
    assert server._status == {}
    for read, _ in pipes:
        os.close(read)
