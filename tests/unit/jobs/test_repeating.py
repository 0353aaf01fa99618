"""Work is repeated, also after an outage."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.domain.errors import StoreUnavailable
from bot.jobs.repeating import repeat_for_ever
from tests.fakes import eventually

log = logging.getLogger(__name__)


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_first_time_is_at_once_or_after_the_interval(at_once: bool) -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    running = asyncio.create_task(repeat_for_ever(work, 60, log, "working", at_once=at_once))
    await asyncio.sleep(0)
    assert done.is_set() is at_once
    running.cancel()


async def test_an_outage_puts_the_work_off(caplog: pytest.LogCaptureFixture) -> None:
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 1:
            raise StoreUnavailable("away")

    running = asyncio.create_task(repeat_for_ever(work, 0.001, log, "working"))
    await eventually(lambda: times > 1)
    assert "working put off: StoreUnavailable" in caplog.text
    running.cancel()
