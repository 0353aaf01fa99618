"""Servers that tests talk to: a real Valkey, the simulated Slack, the fake OpenAI.

What they need is imported where it is used: the process that hands the tests out needs none of it,
and a file of unit tests little.
"""

from __future__ import annotations

import gc
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from bot.adapters.embedded_redis import EmbeddedRedis
    from bot.domain.options import OptionSpec
    from bot.sandbox import SimulatedSlack
    from tests.fake_openai import FakeOpenAI
    from tests.support.processes import World

HERE = Path(__file__).parent
SLOW = (
    *("e2e", "browser", "fuzz", "property", "integration", "shipped"),
    *("fake_openai", "programs"),
)
"""What `pytest -m "not slow"` leaves out: tests that start the program, a browser or servers of
their own, or try many inputs."""

MANY = 3
"""Processes from which on a common start of theirs takes less time."""

WITHOUT_DEMO = (
    *("test_blocks.py", "test_demo.py", "test_home.py", "test_home_tab.py", "test_looks.py"),
    *("test_messages.py", "test_page.py", "test_views.py", "test_waiting.py"),
)
"""Files in `browser` whose tests do not use the demo that the others share."""

for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
    os.environ.pop(proxy, None)  # the SDK would send even local requests through it
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(HERE)
"""No public certificates: no test needs one, and to read them all takes each client 50 ms."""

gc.disable()  # until all is collected: nothing that is made before the first test is garbage


class Scheduling(LoadFileScheduling):  # type: ignore[misc] # untyped
    """A process that runs browser tests needs a browser. One runs all that share a demo, another
    the rest; files of other tests go to any process."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        folder, _, name = scope.rpartition("/")
        if folder != "tests/browser":
            return scope
        return "browser tests without the demo" if name in WITHOUT_DEMO else "browser tests"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[Any]) -> None:
    """Many processes are forked from one that has imported what they would. To measure what code
    tests reach, each imports it itself."""
    plain = all(spec.popen and not spec.python for spec in specs)
    if len(specs) < MANY or not plain or sys.platform != "linux" or _measures_coverage(config):
        return
    folder = tempfile.TemporaryDirectory(prefix="pytest-workers-")
    path = f"{folder.name}/socket"
    command = [sys.executable, "-u", "-m", "tests.support.worker_server", path]
    server = subprocess.Popen(command, cwd=HERE.parent, stdin=subprocess.PIPE)
    client = HERE / "support" / "worker_client.py"
    for spec in specs:
        spec.python = shlex.join([sys.executable, "-S", str(client), path])

    def end() -> None:
        server.communicate()
        folder.cleanup()

    config.add_cleanup(end)
    while not Path(path).exists() and server.poll() is None:
        time.sleep(0.01)


def _measures_coverage(config: pytest.Config) -> bool:
    return bool(config.getoption("cov_source", None))


def pytest_collection_finish() -> None:
    """The collector does not look at the thousands of tests again and again."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Slow tests wait for other processes much of the time; the others keep a processor busy, and
    each process takes some seconds to collect them."""
    processors = os.cpu_count() or 1
    return processors if _leaves_out_slow(config) else processors + 3


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Each process would import all the tests that `pytest -m "not slow"` leaves out."""
    return True if _leaves_out_slow(config) and _is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_slow(item.path):
            item.add_marker(pytest.mark.slow)


def _leaves_out_slow(config: pytest.Config) -> bool:
    expression: str = config.option.markexpr
    return expression == "not slow"


@cache
def _is_slow(path: Path) -> bool:
    return any(path.is_relative_to(HERE / slow) for slow in SLOW)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Valkey on a Unix socket: test runs side by side cannot take each other's port."""
    from bot.adapters.embedded_redis import EmbeddedRedis

    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """An empty Redis."""
    import redis

    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    client.close()
    return redis_server.url


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    from bot.sandbox import SimulatedSlack

    async with SimulatedSlack() as simulated:
        yield simulated


@pytest.fixture
async def openai() -> AsyncIterator[FakeOpenAI]:
    from tests.fake_openai import FakeOpenAI

    async with FakeOpenAI() as fake:
        yield fake


@pytest.fixture(params=["socket", "http"])
async def world(
    request: pytest.FixtureRequest,
    slack: SimulatedSlack,
    openai: FakeOpenAI,
    redis_url: str,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """Everything but the bot, which a test runs in it. Over Socket Mode and over HTTP."""
    from tests.support.processes import World

    async with World(slack, openai, redis_url, tmp_path, request.param) as world:
        yield world


@pytest.fixture
async def socket_world(
    slack: SimulatedSlack, openai: FakeOpenAI, redis_url: str, tmp_path: Path
) -> AsyncIterator[World]:
    """The same over Socket Mode alone, for what does not depend on the way in."""
    from tests.support.processes import World

    async with World(slack, openai, redis_url, tmp_path, "socket") as world:
        yield world


@pytest.fixture
def pretend_option(monkeypatch: pytest.MonkeyPatch) -> OptionSpec:
    """One more option in the table, and nothing else changed."""
    from bot.domain.option_table import OPTIONS
    from tests.support.pretend import PRETEND

    monkeypatch.setattr(OPTIONS, "specs", (*OPTIONS.specs, PRETEND))
    return PRETEND
