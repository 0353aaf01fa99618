"""What the queue logs of trouble: the class of an exception, never its text."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import bullmq.utils
import bullmq.worker
import pytest

from bot.adapters.queue.bullmq_worker import make_worker
from bot.adapters.queue.connection import bullmq_client
from bot.adapters.queue.job_data import PUBLISH_QUEUE
from bot.adapters.queue.processor import JobFailed, Processor
from bot.adapters.queue.supervised_worker import close_worker

PROMPT = "a secret fox"
JOB = "generate-T1.U1.abcd-1-0"


async def nothing(job: object, repeated: bool) -> None:
    """A handler with nothing to do."""


@pytest.fixture
async def worker(redis_url: str) -> Any:
    redis = bullmq_client(redis_url)
    worker = make_worker(PUBLISH_QUEUE, redis, Processor(nothing), 1, 15.0)
    yield worker
    await close_worker(worker, redis)


@pytest.mark.parametrize(
    ("error", "told"), [(ValueError(PROMPT), "ValueError"), (JobFailed("KeyError"), "KeyError")]
)
async def test_an_event_of_bullmqs_is_told_without_its_text(
    worker: Any, caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    caplog.set_level(logging.DEBUG)
    job = SimpleNamespace(id=JOB, opts={"attempts": 3}, attemptsMade=2)
    worker.emit("failed", job, error)
    worker.emit("error", ValueError(PROMPT), job)
    worker.emit("error", ValueError(PROMPT))
    assert f"job {JOB} failed, try 2 of 3: {told}" in caplog.text
    assert f"job {JOB}: ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_what_bullmq_prints_goes_to_the_log(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """It writes tracebacks to stderr, which hold the texts."""

    async def breaks() -> None:
        raise ValueError(PROMPT)

    task = asyncio.create_task(breaks())
    await asyncio.wait({task})
    caplog.set_level(logging.DEBUG, "bot.queue")
    bullmq.utils.extract_result(task, lambda *event: None)
    assert [record.getMessage() for record in caplog.records] == ["BullMQ met an exception"]
    said = capsys.readouterr()
    assert said.err + said.out == ""


async def test_neither_do_locks_that_cannot_be_renewed(
    worker: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async def breaks(*arguments: object) -> None:
        raise ValueError(PROMPT)

    worker.backend = SimpleNamespace(extendLocks=breaks)
    caplog.set_level(logging.DEBUG, "bot.queue")
    await bullmq.worker.Worker.extendLocks(worker)
    assert [record.getMessage() for record in caplog.records] == ["BullMQ met an exception"]
    said = capsys.readouterr()
    assert said.err + said.out == ""
