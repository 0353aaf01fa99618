"""The embedded server: its data, its folder, and what a killed program leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bot.adapters.embedded_redis import DataDirInUse, EmbeddedRedis
from bot.adapters.redis import RedisSessionStore, redis_client
from tests.fakes import ID, a_session
from tests.support.processes import ROOT

KILLED = """
import pathlib, sys, time
from bot.adapters.embedded_redis import EmbeddedRedis
with EmbeddedRedis(pathlib.Path(sys.argv[1])) as server:
    import redis
    client = redis.Redis.from_url(server.url)
    client.set("kept", "yes")
    print(client.info()["process_id"], flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a Unix socket's is at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="imagine-") as made:
        yield Path(made) / "data"


def test_a_folder_too_deep_for_a_socket_has_its_own_elsewhere(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    with EmbeddedRedis(deep) as server:
        connect(server).set("kept", "yes")
        assert not server.url.startswith(f"unix://{deep}")
    with EmbeddedRedis(deep) as server:
        assert connect(server).get("kept") == "yes"


def connect(server: EmbeddedRedis) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


def test_data_survives_a_restart(folder: Path) -> None:
    for expected in (None, "yes"):
        with EmbeddedRedis(folder) as server, connect(server) as client:
            assert client.get("kept") == expected
            client.set("kept", "yes")


async def test_sessions_are_kept_in_it(folder: Path) -> None:
    for _ in range(2):
        with EmbeddedRedis(folder) as server:
            client = redis_client(server.url, 5.0)
            store = RedisSessionStore(client, session_ttl=600, image_ttl=60, patience=5.0)
            assert await store.create(a_session()) == a_session()
            assert await store.load(ID) == a_session()
            await client.aclose()


def test_it_evicts_nothing_and_nobody_on_the_network_reaches_it(folder: Path) -> None:
    with EmbeddedRedis(folder) as server, connect(server) as client:
        settings = client.config_get("*")
        assert settings["maxmemory-policy"] == "noeviction"
        assert settings["appendonly"] == "yes"
        assert int(settings["maxmemory"]) >= 256 * 2**20
        assert settings["port"] == "0"
        assert server.url.startswith("unix://")


def test_a_second_program_is_refused_the_folder_by_name(folder: Path) -> None:
    with EmbeddedRedis(folder) as first:
        with pytest.raises(DataDirInUse, match=str(folder)), EmbeddedRedis(folder):
            pass
        with connect(first) as client:
            assert client.ping()
    with EmbeddedRedis(folder) as again, connect(again) as client:
        assert client.ping()


def test_another_folder_is_another_server(folder: Path) -> None:
    with (
        EmbeddedRedis(folder) as one,
        EmbeddedRedis(folder.with_name("other")) as other,
        connect(one) as client,
        connect(other) as elsewhere,
    ):
        client.set("mine", "1")
        assert elsewhere.get("mine") is None


async def test_the_server_that_a_killed_program_left_is_taken_over(folder: Path) -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(folder)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    leftover = int(await program.stdout.readline())
    program.send_signal(signal.SIGKILL)
    await program.wait()
    os.kill(leftover, 0)  # it still runs
    with EmbeddedRedis(folder) as server, connect(server) as client:
        assert client.get("kept") == "yes"
        assert client.info()["process_id"] != leftover


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(folder: Path) -> None:
    with EmbeddedRedis(folder) as server, connect(server) as client:
        os.kill(int(client.info()["process_id"]), signal.SIGINT)
        assert client.ping()
