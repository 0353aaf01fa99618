"""What the server of forked processes tells of their ends."""

from __future__ import annotations

import array
import os
import socket

import pytest

from tests.support.fork_server import ForkServer


def test_processes_that_end_while_others_are_reaped_are_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The signal of the second comes amid the first's reaping, and its handler reaps both."""
    here, there = socket.socketpair()
    pipes = {pid: os.pipe() for pid in (1, 2)}
    with here, there:
        server = ForkServer(here)
        server._status = {pid: write for pid, (_, write) in pipes.items()}
        reaped: list[int] = []

        def waitpid(pid: int, options: int) -> tuple[int, int]:
            if pid in reaped:
                raise ChildProcessError
            reaped.append(pid)
            if len(reaped) == 1:
                server._reap()
            return pid, 0

        monkeypatch.setattr("os.waitpid", waitpid)
        server._reap()
    assert server._status == {}
    for read, _ in pipes.values():
        assert os.read(read, 100) == array.array("i", [0]).tobytes()
        os.close(read)
