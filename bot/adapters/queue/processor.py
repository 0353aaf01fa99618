"""Around the program's own handler: what each job needs, and where it goes when it does not end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any

from bullmq.custom_errors.delayed_error import DelayedError
from opentelemetry.trace import SpanKind
from redis.exceptions import RedisError

from bot.adapters.queue.job_data import job_from_data, job_log_context
from bot.adapters.queue.job_queue import Handler
from bot.concurrency import consume_exception, run_within
from bot.domain.errors import ImagineError, SlackAppBlocked, SlackBusy, SlackUnavailable
from bot.ports import ProviderSlots
from bot.telemetry import meters
from bot.telemetry.context import span

_LOG = logging.getLogger("bot.queue")

UNWINDING = 2.0
"""Seconds that a cancelled handler has to clean up."""
PUT_OFF = 10.0
"""Seconds that a job waits at the least while Slack is away."""
HANDING_BACK = 3.0
"""Seconds that Redis has to take a job back."""


class JobFailed(ImagineError):
    """A handler raised. Says only which class of exception: BullMQ keeps the text in Redis."""


class Processor:
    """Runs the handler in a task of its own, so that it can be stopped without BullMQ's task.

    A `CancelledError` that reached BullMQ would leave the job locked until it counts as stalled.
    `DelayedError` tells BullMQ to keep its hands off a job.
    """

    def __init__(self, handler: Handler, slots: ProviderSlots | None = None) -> None:
        self._handler = handler
        self.slots = slots
        self._running: set[asyncio.Task[None]] = set()
        self._interrupted = False

    def interrupt(self) -> None:
        """Cancel every running handler; their jobs, and any that still come, go back."""
        self._interrupted = True
        for task in self._running:
            task.cancel()

    async def process(self, job: Any, token: str) -> None:
        started, outcome = time.perf_counter(), "failed"
        with job_log_context(str(job.id)):
            try:
                outcome = await self._process(job, token)
            except asyncio.CancelledError:
                _LOG.warning("job %s was abandoned; it runs again when its lease ends", job.id)
                outcome = "abandoned"
            finally:
                seconds = time.perf_counter() - started
                meters.count_job(job.name, outcome, seconds)
            if outcome != "done":
                raise DelayedError
            _LOG.info("job %s is done", job.id, extra={"seconds": round(seconds, 3)})

    async def _process(self, job: Any, token: str) -> str:
        """Answer what became of the job, as `bot.telemetry.metrics` names it. Raises `JobFailed`
        for a failed try, and `CancelledError` where a cancelled handler does not end."""
        if self._interrupted:
            return await hand_back(job, token)
        task = asyncio.create_task(self._handle(job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        interrupted = False
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            interrupted = True
            task.cancel()
            task.add_done_callback(consume_exception)
            await asyncio.wait({task}, timeout=UNWINDING)
            if not task.done():
                raise
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            return "done"
        if interrupted or self._interrupted:
            return await hand_back(job, token)
        if isinstance(error, SlackAppBlocked) or (
            isinstance(error, SlackUnavailable) and job_from_data(job.data).gives_up
        ):
            return await _put_off(job, token, error)
        _LOG.debug("job %s raised", job.id, exc_info=error)
        raise JobFailed(type(error).__name__)

    async def _handle(self, job: Any) -> None:
        _LOG.debug("job %s begins, try %d", job.id, job.attemptsStarted)
        if self.slots is not None:
            self.slots.use(job.lease)
        due_job, parent = job_from_data(job.data), str(job.data.get("traceparent", ""))
        with span(f"job {due_job.kind}", SpanKind.CONSUMER, parent=parent):
            await self._handler(due_job, job.attemptsStarted > 1)


async def _put_off(job: Any, token: str, error: SlackUnavailable) -> str:
    """Have the job wait for Slack, which counts as no try; answer what became of it. A job that
    BullMQ does not take runs again when its lease ends."""
    busy = error.retry_after if isinstance(error, SlackBusy) else 0.0
    due = time.time() + max(PUT_OFF, busy)
    if not await _moved(job, job.moveToDelayed(round(due * 1000), token), "put off"):
        return "abandoned"
    _LOG.warning("job %s waits for Slack", job.id)
    return "put_off"


async def hand_back(job: Any, token: str) -> str:
    """Put an active job to the front of the queue, for any worker to take at once; answer what
    became of it. A job that BullMQ does not take runs again when its lease ends.

    BullMQ's script for retries does that, but counts a try, which `atm` (its field for the number
    of tries) takes back beforehand.
    """
    fields = {"fieldsToUpdate": {"atm": job.attemptsMade - 1}}
    if not await _moved(job, job.backend.retryJob(job.id, True, token, fields), "handed back"):
        return "abandoned"
    _LOG.info("job %s was handed back", job.id)
    return "handed_back"


async def _moved(job: Any, call: Awaitable[Any], how: str) -> bool:
    """Whether BullMQ's call took the job out of our hands."""
    try:
        await run_within(HANDING_BACK, call)
    except (TimeoutError, RedisError, TypeError) as error:  # TypeError: the lock was lost
        _LOG.warning("job %s could not be %s: %s", job.id, how, type(error).__name__)
        return False
    return True
