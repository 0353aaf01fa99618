"""What makes and publishes images, put together: jobs → flow → provider and Slack."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from bot.adapters.queue import BullWorker
from bot.backends import image_backend
from bot.flow import ReviewFlow
from bot.flow.live_preview import LivePreviews
from bot.flow.live_status import LiveStatus
from bot.flow.requests import Requests
from bot.outside import Outside
from bot.serving import Monitoring
from bot.startup import warn_of_models
from bot.stopping import Stopping
from bot.tasks import BackgroundTasks, end
from bot.worker.generations import Generations
from bot.worker.giving_up import GivingUp
from bot.worker.handler import JobHandler
from bot.worker.measured_backend import MeasuredBackend
from bot.worker.queue_status import QueueStatus
from bot.worker.sweeper import Sweeper

PATIENCE = 60.0
"""Seconds for the store while a paid image waits to be recorded."""


async def start_worker(
    outside: Outside, stack: AsyncExitStack, monitoring: Monitoring, stopping: Stopping
) -> list[asyncio.Task[None]]:
    settings, publisher, queue = outside.settings, outside.publisher, outside.queue
    sessions, cancellations = outside.redis(stack, PATIENCE)
    backend = MeasuredBackend(
        image_backend(settings, outside.reading), settings.image_backend.value
    )
    stack.push_async_callback(backend.close)
    status = LiveStatus(sessions, publisher)
    previews = LivePreviews(sessions, publisher, enabled=settings.partial_images > 0)
    requests = Requests(sessions, outside.files, avoid_rejected=settings.avoid_rejected)
    flow = ReviewFlow(sessions, backend, publisher, requests, previews, status.changed)
    generations = Generations(sessions, backend, publisher, flow, status, previews)
    bot_name = outside.identity.bot_name
    handler = JobHandler(
        sessions,
        queue,
        cancellations,
        publisher,
        generations,
        GivingUp(sessions, publisher, flow, status),
        status,
        bot_name,
    )
    worker = BullWorker(outside.redis_url, handler, settings.worker_concurrency)
    monitoring.needs(lambda: worker.takes_jobs, "no jobs are taken")
    tasks = BackgroundTasks()
    stack.push_async_callback(tasks.drain, 0.0)
    tasks.spawn(warn_of_models(settings))
    running = asyncio.create_task(worker.run())
    watching = [
        Sweeper(sessions, queue).run(),
        QueueStatus(sessions, queue, publisher).run(),
        cancellations.listen(generations.cancelled, generations.look_at_all),
    ]
    endless = [asyncio.create_task(watch) for watch in watching]
    grace = settings.shutdown_grace
    stack.push_async_callback(_stop_worker, worker, running, endless, grace, stopping)
    return [running, *endless]


async def _stop_worker(
    worker: BullWorker,
    running: asyncio.Task[None],
    watchers: list[asyncio.Task[None]],
    grace: float,
    stopping: Stopping,
) -> None:
    """The watchers go on meanwhile: a person may still cancel what runs."""
    await stopping.hurried(worker.stop(grace), worker.stop(0.0))
    await asyncio.gather(running, *(end(watcher) for watcher in watchers), return_exceptions=True)
