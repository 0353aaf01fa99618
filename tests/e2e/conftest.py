"""What scenes in a shared world need. A module that uses `scene` has a fixture `running`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.processes import World
from tests.support.scene import Scene, new_scene

HERE = Path(__file__).parent
LONGEST = 300
"""Seconds. Most tests take a few, but each that starts processes of its own needs ten times as long
on a machine that is busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LONGEST))


@pytest_asyncio.fixture(loop_scope="module")
async def scene(running: World) -> AsyncIterator[Scene]:
    """Alice in a channel of her own. Whatever she does, Slack has nothing to complain about."""
    scene = new_scene(running)
    yield scene
    running.openai.release()
    await scene.until_quiet()
    sys.stderr.write(scene.log)  # pytest shows it where a test failed
    assert running.slack.violations == []
