"""Tests that mostly wait, for a lease or for a process. Those of a module run at the same time.

    @concurrent
    async def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:

Each has a world of its own. The module's other tests need its event loop too
(`pytestmark = pytest.mark.asyncio(loop_scope="module")`): the worlds stand still without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

AT_ONCE = 3

Scenario = Callable[[Path], Awaitable[None]]
Started = Mapping[Scenario, "asyncio.Task[None]"]


def concurrent(scenario: Scenario) -> Callable[[Started], Awaitable[None]]:
    """A test that waits for the end of the scenario, which may have begun before."""

    async def test(started: Started) -> None:
        await started[scenario]

    test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
    test.__module__, test.__qualname__ = scenario.__module__, scenario.__qualname__
    vars(test)["scenario"] = scenario
    return test


@asynccontextmanager
async def start_scenarios(
    items: Sequence[pytest.Item], new_folder: Callable[[str], Path]
) -> AsyncIterator[Started]:
    """Those of these tests, in their order. What no test has waited for in the end is cancelled."""
    scenarios: list[Scenario] = [
        item.obj.scenario
        for item in items
        if isinstance(item, pytest.Function) and hasattr(item.obj, "scenario")
    ]
    gate = asyncio.Semaphore(AT_ONCE)

    async def run(scenario: Scenario) -> None:
        async with gate:
            await scenario(new_folder(scenario.__name__[:40]))

    tasks = {scenario: asyncio.create_task(run(scenario)) for scenario in scenarios}
    try:
        yield tasks
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
