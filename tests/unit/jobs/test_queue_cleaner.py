"""The queue is cleaned again and again, also after it was away."""

from __future__ import annotations

import asyncio

import pytest

from bot.jobs.queue_cleaner import QueueCleaner
from tests.fakes import FakeJobQueue, eventually


async def test_it_cleans_at_once_and_again(caplog: pytest.LogCaptureFixture) -> None:
    queue = FakeJobQueue()
    running = asyncio.create_task(QueueCleaner(queue, interval=0.01).run())
    await eventually(lambda: queue.cleaned > 2)
    queue.away = True
    await eventually(lambda: "put off: QueueUnavailable" in caplog.text)
    cleaned, queue.away = queue.cleaned, False
    await eventually(lambda: queue.cleaned > cleaned)
    running.cancel()
