"""What scenes in a shared world need. A module that uses `scene` has a fixture `running`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.processes import World
from tests.support.scene import Scene, new_scene


@pytest_asyncio.fixture(loop_scope="module")
async def scene(running: World) -> AsyncIterator[Scene]:
    """Alice in a channel of her own. Whatever she does, Slack has nothing to complain about."""
    scene = new_scene(running)
    yield scene
    running.openai.release()
    await scene.until_idle()
    sys.stderr.write(scene.log)  # pytest shows it where a test failed
    assert running.slack.violations == []
