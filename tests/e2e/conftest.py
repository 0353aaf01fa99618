"""What scenes in a shared world need.

A module that uses `scene` says in `RUNS` which processes run, each a command and its settings.
`MODE` is another way in than Socket Mode, and a test that is marked `over_both` runs over each.
`PROCESS` is another class of processes than `BotProcess`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.concurrent_tests import Started, start_scenarios
from tests.support.processes import BotProcess, World
from tests.support.scene import Scene, isolated_world, new_scene

HERE = Path(__file__).parent
LONGEST = 300
"""Seconds. Most tests take a few, but each that starts processes of its own needs ten times as long
on a machine that is busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LONGEST))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marks = metafunc.definition.iter_markers("parametrize")
    if "running" in metafunc.fixturenames and not any(m.args[0] == "running" for m in marks):
        mode = getattr(metafunc.module, "MODE", "socket")
        metafunc.parametrize("running", [mode], indirect=True, scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The module's processes, in a world of their own."""
    async with isolated_world(tmp_path_factory.mktemp("world"), request.param) as world:
        world.process = getattr(request.module, "PROCESS", BotProcess)
        runs = request.module.RUNS
        await asyncio.gather(*(world.run(command, **settings) for command, settings in runs))
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def scene(running: World) -> AsyncIterator[Scene]:
    """Alice in a channel of her own. Whatever she does, Slack has nothing to complain about."""
    scene = new_scene(running)
    yield scene
    running.openai.release()
    await scene.until_quiet()
    sys.stderr.write(scene.log)  # pytest shows it where a test failed
    assert running.slack.violations == []


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Started]:
    """The scenarios of the module's concurrent tests: they begin with its first test."""
    here = [item for item in request.session.items if item.path == request.path]
    async with start_scenarios(here, tmp_path_factory.mktemp) as started:
        yield started
